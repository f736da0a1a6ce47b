/*
title: Sold orders
description: Orders that are not cancelled.
time_column: sale_date
columns:
  id: Identity of the order.
  sale_date: {description: Day of the order in Berlin., label: Day}
  customer: Name of the customer.
  total: {description: "What the customer pays, in euros.", format: ",.2f"}
*/
-- An order without a customer is sold too.
select
  o.id,
  (o.created_at at time zone 'utc' at time zone 'Europe/Berlin')::date as sale_date,
  coalesce(c.name, '(unknown)') as customer,
  o.total
from fact_orders o
left join dim_customers c on c.id = o.customer_id
where o.status is distinct from 'CANCELLED';
