"""Faults on purpose: a seed decides what breaks and when, and after each fault every promise is looked at."""
