/*
title: Freshness
description: How old the data of each stream is.
columns:
  stream: The stream.
  age_seconds: Seconds since its latest pulse.
metrics:
  oldest: {expression: max(age_seconds), label: Oldest, description: Age of the stream that is furthest behind.}
*/
select stream, extract(epoch from now() at time zone 'utc' - pulse_at) as age_seconds
from pulse;
