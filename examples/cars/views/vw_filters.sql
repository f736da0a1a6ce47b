/*
title: Filters
description: >-
  One row per filter that runs and topic that it writes to, with what became of the events since its version began. Judged is matched,
  rejected and set aside together, each event counted once, also if a failure has it written twice.
time_column: last_match_at
columns:
  filter_id: {description: The filter., label: Filter}
  rule_version: {description: Its version., label: Version}
  consumer: {description: Whom it is for., label: Consumer}
  judged: {description: Events that this version has judged., label: Judged, format: ","}
  matched: {description: Events that passed., label: Matched, format: ","}
  matched_share: {description: Events that passed as a share of those judged., label: "Matched, %", format: ",.1%"}
  per_minute: {description: "Events that came to the consumer's table, a minute, over the last 15 minutes, or since the version began.", label: "A minute", format: ",.1f"}
  rejected: {description: Events that did not pass., label: Rejected, format: ","}
  set_aside: {description: Events that could not be judged because of a value's type., label: Set aside, format: ","}
  last_match_at: {description: When the last event passed (UTC)., label: Last match}
  began_at: {description: When this version began to judge (UTC)., label: Since}
  latency_ms: {description: "Milliseconds from the event to the consumer's table, median of the last 15 minutes; empty if nothing came.", label: "Latency, ms", format: ",.0f"}
metrics:
  judged_max: {expression: max(judged), label: Events judged, description: Events that the filter running for longest has judged., format: ","}
  matched_sum: {expression: sum(matched), label: Matched, description: Events that passed., format: ","}
  rejected_sum: {expression: sum(rejected), label: Rejected, description: Events that did not pass., format: ","}
  set_aside_sum: {expression: sum(set_aside), label: Set aside, description: Events that could not be judged., format: ","}
*/
with recent as (
  select
    topic, filter_id, rule_version, count(distinct origin) as events,
    percentile_cont(0.5) within group (order by extract(epoch from received_at - created_at) * 1000) as latency_ms
  from received_events
  where received_at > now() at time zone 'utc' - interval '15 minutes'
  group by topic, filter_id, rule_version
)
select
  f.filter_id,
  f.rule_version,
  f.consumer,
  f.judged,
  f.matched,
  f.matched::numeric / nullif(f.judged, 0) as matched_share,
  coalesce(r.events, 0) / least(15, greatest(1, extract(epoch from now() at time zone 'utc' - f.began_at) / 60)) as per_minute,
  f.rejected,
  f.set_aside,
  f.last_match_at,
  f.began_at,
  r.latency_ms::numeric as latency_ms
from filter_versions f
left join recent r on r.topic = f.topic and r.filter_id = f.filter_id and r.rule_version = f.rule_version
where f.ended_at is null;
