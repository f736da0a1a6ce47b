"""Whether a stream keeps up with its topics."""
