"""Filters as code: what a filter keeps of a stream of business events, the same here and in Flink."""
