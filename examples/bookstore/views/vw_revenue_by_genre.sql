/*
title: Revenue by genre
description: Copies sold and revenue of each genre. Cancelled orders do not count.
columns:
  genre: {description: "Genre, or (unknown genre).", label: Genre}
  units_sold: {description: Copies sold., label: Units sold, format: ",d"}
  revenue: {description: "Copies times their price at purchase, in US dollars.", label: Revenue, format: "$,.2f"}
metrics:
  revenue_sum: {expression: sum(revenue), label: Revenue, description: Copies times their price at purchase in orders that are not cancelled., format: "$,.2f", currency: USD}
  units_sold_sum: {expression: sum(units_sold), label: Units sold, description: Copies sold in orders that are not cancelled., format: ",d"}
*/
select genre, sum(quantity) as units_sold, sum(revenue) as revenue
from sold_items
group by genre
order by revenue desc, genre;
