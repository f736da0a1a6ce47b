/*
title: Average order value
description: >-
  Orders, revenue and average order value of each UTC day. Cancelled orders do not count. Over several days the average is
  revenue divided by orders, never an average of daily averages.
time_column: sale_date
columns:
  sale_date: {description: Day of the orders in UTC., label: Day}
  order_count: {description: Orders of that day., label: Orders, format: ",d"}
  avg_order_value: {description: "Revenue of that day divided by its orders, in US dollars. Do not add it up.", label: Average order value, format: "$,.2f"}
  daily_revenue: {description: "Totals of that day's orders, in US dollars.", label: Revenue, format: "$,.2f"}
metrics:
  order_count_sum: {expression: sum(order_count), label: Orders, description: Orders that are not cancelled., format: ",d"}
  average_order_value: {expression: "sum(daily_revenue) / nullif(sum(order_count), 0)", label: Average order value, description: Revenue divided by orders., format: "$,.2f", currency: USD}
  daily_revenue_sum: {expression: sum(daily_revenue), label: Revenue, description: Totals of all orders that are not cancelled., format: "$,.2f", currency: USD}
*/
select
  sale_date,
  count(*) as order_count,
  round(sum(total) / count(*), 2) as avg_order_value,
  sum(total) as daily_revenue
from sold_orders
group by sale_date
order by sale_date;
