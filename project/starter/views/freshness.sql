/*
title: Freshness
description: How old the data of each stream is. Headrace writes a pulse into every source every few seconds; it travels like your rows, and where rows wait beside it, the oldest counts.
columns:
  stream: {description: The stream., label: Stream}
  age_seconds: {description: "All that the source had committed this many seconds ago is here: its pulse has come, and at the last look (every 20 s) nothing older waited.", label: Age, format: ",.0f"}
  equal_as_of: {description: "As of when every table of the stream was found equal to its source (UTC); empty until all have been.", label: Equal as of}
metrics:
  age_seconds_max: {expression: max(age_seconds), label: Data age, description: Age of the stream that is furthest behind., format: ",.0f"}
  equal_as_of_min: {expression: case when count(*) = count(equal_as_of) then min(equal_as_of) end, label: Equal as of, description: "The source stood then as the tables were found to stand, row by row (UTC).", format: "%d %b %H:%M:%S"}
*/
select
  p.stream,
  extract(epoch from now() at time zone 'utc' - least(p.pulse_at, p.synced_at, p.unread_since)) as age_seconds,
  (select case when count(*) = count(c.equal_as_of) then min(c.equal_as_of) end from certificates c where c.stream = p.stream) as equal_as_of
from pulse p;
