/*
title: Revenue by author
description: Copies sold and revenue of each author. Cancelled orders do not count.
columns:
  author: {description: "Author, or (unknown author).", label: Author}
  units_sold: {description: Copies sold., label: Units sold, format: ",d"}
  revenue: {description: "Copies times their price at purchase, in US dollars.", label: Revenue, format: "$,.2f"}
metrics:
  revenue_sum: {expression: sum(revenue), label: Revenue, description: Copies times their price at purchase in orders that are not cancelled., format: "$,.2f", currency: USD}
  units_sold_sum: {expression: sum(units_sold), label: Units sold, description: Copies sold in orders that are not cancelled., format: ",d"}
*/
select author, sum(quantity) as units_sold, sum(revenue) as revenue
from sold_items
group by author
order by revenue desc, author;
