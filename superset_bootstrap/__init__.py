"""Superset content of a project: the database connection, datasets, charts and dashboards."""
