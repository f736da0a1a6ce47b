/*
title: Product sales volume
description: How many copies of each book were sold, and for how much. Cancelled orders do not count.
columns:
  title: Title of the book, or (unknown book).
  author: Author of the book, or (unknown author).
  units_sold: {description: Copies sold., label: Units sold, format: ",d"}
  revenue: {description: "Copies times their price at purchase, in US dollars.", label: Revenue, format: "$,.2f"}
  book_id: Identity of the book.
metrics:
  units_sold_sum: {expression: sum(units_sold), label: Units sold, description: Copies sold in orders that are not cancelled., format: ",d"}
  revenue_sum: {expression: sum(revenue), label: Revenue, description: Copies times their price at purchase in orders that are not cancelled., format: "$,.2f", currency: USD}
*/
select title, author, sum(quantity) as units_sold, sum(revenue) as revenue, book_id
from sold_items
group by book_id, title, author
order by units_sold desc, title, book_id;
