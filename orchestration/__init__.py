"""Joins the rooms: catalogue, plan and apply, Dagster's view of them, and the command line."""
