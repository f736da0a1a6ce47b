"""Schemas of business events: what an application says that its events hold."""
