/*
title: Book price distribution
description: How many books are on offer in each range of today's price. A range without a book is left out.
columns:
  price_range: {description: Range of today's price in US dollars; Unknown without a price., label: Price range}
  book_count: {description: Books on offer in this range., label: Books, format: ",d"}
  range_order: "Position of the range, cheapest first; Unknown comes last."
metrics:
  book_count_sum: {expression: sum(book_count), label: Books, description: Books on offer., format: ",d"}
*/
with priced as (
  select
    case
      when price < 10 then 1
      when price < 20 then 2
      when price < 30 then 3
      when price < 50 then 4
      when price >= 50 then 5
      else 6
    end as range_order
  from dim_books
)
select
  (array['Under $10', '$10–$19.99', '$20–$29.99', '$30–$49.99', '$50+', 'Unknown'])[range_order] as price_range,
  count(*) as book_count,
  range_order
from priced
group by range_order
order by range_order;
