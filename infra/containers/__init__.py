"""The platform's programs as containers; see docs/containers.md."""
