/*
title: Freshness
description: How old the data of each stream is. Headrace writes a pulse into every source every few seconds; it travels like your rows.
columns:
  stream: {description: The stream., label: Stream}
  age_seconds: {description: Seconds since the latest pulse that arrived left the source., label: Age, format: ",.0f"}
metrics:
  age_seconds_max: {expression: max(age_seconds), label: Data age, description: Age of the stream that is furthest behind., format: ",.0f"}
*/
select stream, extract(epoch from now() at time zone 'utc' - pulse_at) as age_seconds
from pulse;
