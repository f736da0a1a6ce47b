"""The platform underneath: processes, downloads and configuration files. Knows endpoints, not specs; imports nothing of ours."""
