/*
title: Top books by revenue
description: Books by the revenue they made, best first; equal revenues share a rank. Cancelled orders do not count.
columns:
  title: {description: "Title of the book, or (unknown book).", label: Title}
  author: {description: "Author of the book, or (unknown author).", label: Author}
  units_sold: {description: Copies sold., label: Units sold, format: ",d"}
  total_revenue: {description: "Copies times their price at purchase, in US dollars.", label: Revenue, format: "$,.2f"}
  revenue_rank: {description: "1 is the best; after a tie the next rank is left out.", label: Rank, format: ",d"}
  book_id: Identity of the book.
metrics:
  total_revenue_sum: {expression: sum(total_revenue), label: Revenue, description: Copies times their price at purchase in orders that are not cancelled., format: "$,.2f", currency: USD}
  units_sold_sum: {expression: sum(units_sold), label: Units sold, description: Copies sold in orders that are not cancelled., format: ",d"}
*/
select
  title,
  author,
  sum(quantity) as units_sold,
  sum(revenue) as total_revenue,
  rank() over (order by sum(revenue) desc) as revenue_rank,
  book_id
from sold_items
group by book_id, title, author
order by revenue_rank, title, book_id;
