/*
title: Order status distribution
description: All orders by their status, cancelled ones included.
columns:
  status: {description: "Status of the orders; (none) where the shop has not set one.", label: Status}
  order_count: {description: Orders in this status., label: Orders, format: ",d"}
  total_revenue: {description: "Totals of these orders, in US dollars.", label: Total, format: "$,.2f"}
metrics:
  order_count_sum: {expression: sum(order_count), label: Orders, description: "Orders, cancelled ones included.", format: ",d"}
  total_revenue_sum: {expression: sum(total_revenue), label: Total, description: "Totals of the orders, cancelled ones included.", format: "$,.2f", currency: USD}
*/
select
  coalesce(status, '(none)') as status,
  count(*) as order_count,
  coalesce(sum(total), 0)::numeric(38, 2) as total_revenue
from fact_orders
group by 1
order by order_count desc, status;
