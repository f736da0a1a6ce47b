/*
title: Sold orders
description: >-
  One row per order that is not cancelled; an order without a status is not cancelled. It does not join the items, so that
  a total is counted once. A missing total counts as 0 and is listed by vw_data_quality.
columns:
  id: Identity of the order.
  sale_date: "Day of the order in UTC: created_at is stored as a UTC timestamp, so no session setting moves it."
  total: {description: "What the customer pays, in US dollars.", format: "$,.2f"}
*/
select id, created_at::date as sale_date, coalesce(total, 0)::numeric(38, 2) as total
from fact_orders
where status is distinct from 'CANCELLED';
