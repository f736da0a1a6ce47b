/*
title: Freshness
description: >-
  How old the data of each stream is. Every source writes a pulse every few seconds that travels the same way as its data,
  so a quiet night is fresh and a broken chain is not.
time_column: pulse_at
columns:
  stream: {description: The stream., label: Stream}
  source: {description: The database it reads., label: Source}
  pulse_at: {description: When the latest pulse that arrived left its source (UTC)., label: Pulse}
  age_seconds: {description: "Seconds since then: all that the source committed before is here.", label: "Age, s", format: ",.0f"}
metrics:
  age_seconds_max: {expression: max(age_seconds), label: Data is this old, description: Seconds since the pulse of the stream that is furthest behind., format: ",.0f"}
*/
select
  stream,
  source,
  pulse_at,
  greatest(extract(epoch from now() at time zone 'utc' - pulse_at), 0)::numeric(18, 1) as age_seconds
from pulse
order by age_seconds desc, stream;
