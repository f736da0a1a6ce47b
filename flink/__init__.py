"""Streams: a stream's spec becomes Flink SQL, the SQL becomes a running job."""
