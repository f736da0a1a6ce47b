/*
title: Sales over time
description: Orders and revenue of each UTC day. Cancelled orders do not count.
time_column: sale_date
columns:
  sale_date: {description: Day of the orders in UTC., label: Day}
  order_count: {description: Orders of that day., label: Orders, format: ",d"}
  daily_revenue: {description: "Totals of that day's orders, in US dollars.", label: Revenue, format: "$,.2f"}
metrics:
  daily_revenue_sum: {expression: sum(daily_revenue), label: Revenue, description: Totals of all orders that are not cancelled., format: "$,.2f", currency: USD}
  order_count_sum: {expression: sum(order_count), label: Orders, description: Orders that are not cancelled., format: ",d"}
*/
select sale_date, count(*) as order_count, sum(total) as daily_revenue
from sold_orders
group by sale_date
order by sale_date;
