/*
title: Freshness
description: >-
  How old the data of each stream is. Every source writes a pulse every few seconds that travels the same way as its data,
  so a quiet night is fresh and a broken chain is not. Where changes wait beside it, the oldest of them counts.
time_column: pulse_at
columns:
  stream: {description: The stream., label: Stream}
  source: {description: The database it reads., label: Source}
  pulse_at: {description: When the latest pulse that arrived left its source (UTC)., label: Pulse}
  age_seconds: {description: "All that the source had committed this many seconds ago is here: its pulse has come, and at the last look (every 20 s) nothing older waited.", label: "Age, s", format: ",.0f"}
  equal_as_of: {description: "As of when every table of the stream was found equal to its source, row by row (UTC); empty until all have been.", label: Equal as of}
  not_compared: {description: "Rows that changed at every look of the last comparisons, so that nothing is known of them.", label: "Rows not compared", format: ",.0f"}
metrics:
  age_seconds_max: {expression: max(age_seconds), label: Data is this old, description: Age of the stream that is furthest behind., format: ",.0f"}
  equal_as_of_min: {expression: case when count(*) = count(equal_as_of) then min(equal_as_of) end, label: Equal as of, description: "The source stood then as the tables were found to stand, row by row (UTC).", format: "%d %b %H:%M:%S"}
*/
with proven as (
  select stream, case when count(*) = count(equal_as_of) then min(equal_as_of) end as equal_as_of, sum(not_compared) as not_compared
  from certificates
  group by stream
)
select
  p.stream,
  p.source,
  p.pulse_at,
  greatest(extract(epoch from now() at time zone 'utc' - least(p.pulse_at, p.synced_at, p.unread_since)), 0)::numeric(18, 1) as age_seconds,
  proven.equal_as_of,
  proven.not_compared
from pulse p
left join proven on proven.stream = p.stream
order by age_seconds desc, p.stream;
