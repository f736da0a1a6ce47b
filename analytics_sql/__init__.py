"""The analytics database: a schema with its grants, the tables that streams write, and the views that people read."""
