"""Programs that receive events: the loop that all of them share, and one that writes what it receives into a table."""
