/*
title: Sold items
description: >-
  One row per item of an order that is not cancelled; an order without a status is not cancelled. The other views of sales
  read this one, so that "sold" means one thing. An item whose order has not arrived is left out until it does, and
  vw_data_quality lists it. Money that is missing counts as 0 and is listed there too.
columns:
  order_id: The order.
  book_id: The book.
  title: "Title of the book; (unknown book) until the shop's row for it arrives."
  author: "Author of the book; (unknown author) if not known."
  genre: "Genre of the book; (unknown genre) if not known."
  quantity: Copies.
  revenue: {description: "Copies times the price at purchase, in US dollars.", format: "$,.2f"}
*/
select
  i.order_id,
  i.book_id,
  coalesce(b.title, '(unknown book)') as title,
  coalesce(b.author, '(unknown author)') as author,
  coalesce(b.genre, '(unknown genre)') as genre,
  coalesce(i.quantity, 0) as quantity,
  coalesce(i.quantity * i.price_at_purchase, 0)::numeric(38, 2) as revenue
from fact_order_items i
join fact_orders o on o.id = i.order_id and o.status is distinct from 'CANCELLED'
left join dim_books b on b.id = i.book_id;
