"""Ways to have a PostgreSQL table in another PostgreSQL server, Headrace among them, behind one interface."""
