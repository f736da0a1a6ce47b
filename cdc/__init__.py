"""Sources: what captures a database's changes and carries them to topics."""
