/*
title: Sales by day
description: Orders and revenue of each day.
time_column: sale_date
columns:
  sale_date: Day of the orders.
  order_count: {description: Orders of that day., label: Orders, format: ",d"}
  revenue: {description: "Totals of that day's orders, in euros.", label: Revenue, format: ",.2f"}
metrics:
  revenue_sum:
    expression: sum(revenue)
    label: Revenue
    description: Totals of all orders that are not cancelled.
    format: ",.2f"
    currency: EUR
  average_order:
    expression: sum(revenue) / nullif(sum(order_count), 0)
    label: Average order
    description: Revenue divided by orders.
*/
with days as (
  select sale_date, count(*) as order_count, coalesce(sum(total), 0) as revenue
  from sold_orders
  group by sale_date
)
select sale_date, order_count, revenue
from days
order by sale_date
