"""Behaviour on the running platform, as operators, engineers and analysts notice it."""
