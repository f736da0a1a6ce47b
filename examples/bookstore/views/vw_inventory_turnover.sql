/*
title: Inventory turnover
description: >-
  Copies sold of each book against the copies on the shelf, for every book that the shop offers, the warehouse keeps or a
  customer bought. Cancelled orders do not count.
columns:
  title: {description: "Title of the book, or (unknown book).", label: Title}
  author: {description: "Author of the book, or (unknown author).", label: Author}
  current_stock: {description: Copies on the shelf; empty without a stock record., label: Stock, format: ",d"}
  total_sold: {description: Copies sold., label: Units sold, format: ",d"}
  turnover_rate_pct: {description: "Copies sold per copy on the shelf, in percent; empty where copies were sold and none is on the shelf, and without a stock record. Do not add it up.", label: "Turnover, %", format: ",.1f"}
  book_id: Identity of the book.
metrics:
  turnover_rate: {expression: "sum(total_sold) * 100.0 / nullif(sum(current_stock), 0)", label: "Turnover, %", description: "Copies sold per copy on the shelf, in percent.", format: ",.1f"}
  total_sold_sum: {expression: sum(total_sold), label: Units sold, description: Copies sold in orders that are not cancelled., format: ",d"}
  current_stock_sum: {expression: sum(current_stock), label: Stock, description: Copies on the shelf., format: ",d"}
*/
with sold as (
  select book_id, sum(quantity) as total_sold
  from sold_items
  group by book_id
),
turnover as (
  select book_id, i.quantity as current_stock, coalesce(s.total_sold, 0) as total_sold
  from (
    select id as book_id from dim_books
    union
    select book_id from fact_inventory
    union
    select book_id from sold
  ) known
  left join fact_inventory i using (book_id)
  left join sold s using (book_id)
)
select
  coalesce(b.title, '(unknown book)') as title,
  coalesce(b.author, '(unknown author)') as author,
  t.current_stock,
  t.total_sold,
  case
    when t.current_stock > 0 then round(t.total_sold * 100.0 / t.current_stock, 1)
    when t.current_stock = 0 and t.total_sold = 0 then 0.0
  end as turnover_rate_pct,
  t.book_id
from turnover t
left join dim_books b on b.id = t.book_id
order by turnover_rate_pct desc nulls last, title, t.book_id;
