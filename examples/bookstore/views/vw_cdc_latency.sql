/*
title: Capture latency
description: >-
  How long each order's latest change took from its commit in the shop's database to this one. Rows that were copied when
  capture began are left out: they tell how old the row is, not how long it travelled.
time_column: synced_at
columns:
  id: Identity of the order.
  created_at: {description: When the order was placed (UTC)., label: Placed}
  synced_at: {description: When its latest change was written here (UTC)., label: Arrived}
  latency_seconds: {description: Seconds from commit to arrival., label: "Latency, s", format: ",.3f"}
  source_committed_at: {description: When its latest change was committed in the shop's database (UTC)., label: Committed}
metrics:
  latency_p50: {expression: percentile_cont(0.5) within group (order by latency_seconds), label: "Median latency, s", description: Half of the changes arrived within this many seconds., format: ",.3f"}
  latency_p99: {expression: percentile_cont(0.99) within group (order by latency_seconds), label: "99th percentile, s", description: 99 of 100 changes arrived within this many seconds., format: ",.3f"}
  latency_max: {expression: max(latency_seconds), label: "Worst latency, s", description: The slowest change took this many seconds., format: ",.3f"}
*/
select
  id,
  created_at,
  synced_at,
  round(extract(epoch from synced_at - source_committed_at), 3) as latency_seconds,
  source_committed_at
from fact_orders
where not from_snapshot;
