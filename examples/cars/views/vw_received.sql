/*
title: Received events
description: >-
  Filtered events as consumers have received them, one row per event, consumer and filter. Latency counts from when the event happened, as
  its application says, to when the consumer had it in its table.
time_column: received_at
columns:
  received_at: {description: When the consumer had it (UTC)., label: Received}
  consumer: {description: The consumer., label: Consumer}
  event_name: {description: What happened., label: Event}
  entity_type: {description: To what., label: Entity}
  entity_id: {description: To which one., label: Which}
  filter_id: {description: The filter that it has passed., label: Filter}
  rule_version: {description: The filter's version., label: Version}
  times: {description: How often it came; more than once after a failure., label: Times, format: ","}
  latency_ms: {description: Milliseconds from the event to the consumer's table., label: "Latency, ms", format: ",.0f"}
metrics:
  events: {expression: count(*), label: Events, description: Events that consumers have received., format: ","}
  repeats: {expression: sum(times) - count(*), label: Repeats, description: "Events that came once more, after a failure.", format: ","}
  latency_p50: {expression: percentile_cont(0.5) within group (order by latency_ms), label: "Median latency, ms", description: Half of the events were there within this many milliseconds., format: ",.0f"}
  latency_p99: {expression: percentile_cont(0.99) within group (order by latency_ms), label: "99th percentile, ms", description: 99 of 100 events were there within this many milliseconds., format: ",.0f"}
*/
select
  received_at,
  consumer,
  event_name,
  entity_type,
  entity_id,
  filter_id,
  rule_version,
  times,
  (extract(epoch from received_at - created_at) * 1000)::numeric(18, 1) as latency_ms
from received_events;
