/*
title: Data quality
description: >-
  One row for each row of the shop or the warehouse that does not fit the others. Empty is good. Tables arrive on their own,
  so a row may be here for the moment until its partner arrives; what stays for a minute is wrong in the source.
time_column: since
columns:
  finding: {description: What does not fit., label: Finding}
  table_name: {description: The table of the row., label: Table}
  row_id: {description: Identity of the row., label: Row}
  expected: {description: "What would fit, where a number was expected.", label: Expected, format: ",.2f"}
  found: {description: What stands there., label: Found, format: ",.2f"}
  since: {description: When the row last arrived (UTC)., label: Since}
metrics:
  lasting_findings: {expression: "count(*) filter (where since < now() at time zone 'utc' - interval '1 minute')", label: Findings, description: Rows that have not fitted the others for more than a minute., format: ",d", alarm_above: 0}
  findings: {expression: count(*), label: Findings of this moment, description: "Rows that do not fit the others, those included that wait for a partner.", format: ",d"}
*/
with items as (
  select
    order_id,
    coalesce(sum(quantity * price_at_purchase), 0)::numeric(38, 2) as item_total,
    max(synced_at) as synced_at
  from fact_order_items
  group by order_id
)
select
  'order total differs from its items' as finding,
  'fact_orders' as table_name,
  o.id as row_id,
  coalesce(i.item_total, 0) as expected,
  o.total::numeric(38, 2) as found,
  greatest(o.synced_at, i.synced_at) as since
from fact_orders o
left join items i on i.order_id = o.id
where o.total is distinct from coalesce(i.item_total, 0)
union all
select 'item without its order', 'fact_order_items', i.id, null, null, i.synced_at
from fact_order_items i
where not exists (select from fact_orders o where o.id = i.order_id)
union all
select 'item of an unknown book', 'fact_order_items', i.id, null, null, i.synced_at
from fact_order_items i
where not exists (select from dim_books b where b.id = i.book_id)
union all
select 'stock of an unknown book', 'fact_inventory', i.book_id, null, null, i.synced_at
from fact_inventory i
where not exists (select from dim_books b where b.id = i.book_id)
union all
select 'item without a quantity or price', 'fact_order_items', i.id, null, null, i.synced_at
from fact_order_items i
where i.quantity is null or i.price_at_purchase is null
union all
select 'more copies reserved than on the shelf', 'fact_inventory', i.book_id, i.quantity, i.reserved, i.synced_at
from fact_inventory i
where i.reserved > i.quantity;
