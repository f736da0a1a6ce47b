"""The address to which programs send events that have no part in the application's transactions."""
