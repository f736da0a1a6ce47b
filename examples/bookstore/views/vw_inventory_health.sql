/*
title: Inventory health
description: What is left of each book that the shop offers or the warehouse keeps, scarcest first.
columns:
  title: {description: "Title of the book, or (unknown book).", label: Title}
  author: {description: "Author of the book, or (unknown author).", label: Author}
  stock_quantity: {description: Copies on the shelf; empty without a stock record., label: Stock, format: ",d"}
  reserved: {description: Copies on the shelf that are promised to open orders., label: Reserved, format: ",d"}
  available: {description: "Stock less reserved, never below 0.", label: Available, format: ",d"}
  stock_status: {description: "Critical: nothing available; Low: 1 to 3; OK: more; Unknown: no stock record.", label: Status}
  book_id: Identity of the book.
metrics:
  stock_quantity_sum: {expression: sum(stock_quantity), label: Stock, description: Copies on the shelf., format: ",d"}
  reserved_sum: {expression: sum(reserved), label: Reserved, description: Copies that are promised to open orders., format: ",d"}
  available_sum: {expression: sum(available), label: Available, description: Copies that can still be sold., format: ",d"}
  book_count: {expression: count(*), label: Books, description: Books known to the shop or the warehouse., format: ",d"}
*/
with stock as (
  select
    coalesce(b.id, i.book_id) as book_id,
    coalesce(b.title, '(unknown book)') as title,
    coalesce(b.author, '(unknown author)') as author,
    i.quantity as stock_quantity,
    i.reserved,
    case when i.quantity is not null then greatest(i.quantity - coalesce(i.reserved, 0), 0) end as available
  from dim_books b
  full join fact_inventory i on i.book_id = b.id
)
select
  title,
  author,
  stock_quantity,
  reserved,
  available,
  case
    when available is null then 'Unknown'
    when available = 0 then 'Critical'
    when available <= 3 then 'Low'
    else 'OK'
  end as stock_status,
  book_id
from stock
order by available, title, book_id;
