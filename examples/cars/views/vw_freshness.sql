/*
title: Freshness
description: >-
  How old the events on this page are at most. The events' database writes a pulse every few seconds that travels the same way, so quiet
  hours are fresh and a broken chain is not. Where events wait beside it, the oldest of them counts.
time_column: pulse_at
columns:
  stream: {description: The stream., label: Stream}
  pulse_at: {description: When the latest pulse that arrived left the source (UTC)., label: Pulse}
  age_seconds: {description: "All events that had been committed this many seconds ago are judged: the pulse has come, and at the last look (every 20 s) nothing older waited.", label: "Age, s", format: ",.0f"}
metrics:
  age_seconds_max: {expression: max(age_seconds), label: Data is this old, description: Age of the stream that is furthest behind., format: ",.0f"}
*/
select
  stream, pulse_at,
  greatest(extract(epoch from now() at time zone 'utc' - least(pulse_at, synced_at, unread_since)), 0)::numeric(18, 1) as age_seconds
from pulse;
