"""The SQL of the trade. Each text is one transaction."""

BOOKS = """
select id, title, author, price, description, cover_url, isbn, genre, published_year
from books where price is not null order by created_at, id
"""

OPEN_ORDERS = """
select o.id, o.status, json_object_agg(i.book_id, i.quantity)
from orders o join order_items i on i.order_id = o.id
where o.status in ('PENDING', 'CONFIRMED', 'SHIPPED') and (hashtext(o.id::text) & 1023) %% %(clerks)s = %(number)s
group by o.id order by o.created_at desc limit 500
"""

PLACE = """
with placed as (
  insert into orders (id, user_id, total) values (%(id)s, %(user_id)s, %(total)s) returning id
)
insert into order_items (order_id, book_id, quantity, price_at_purchase)
select placed.id, item.* from placed, unnest(%(books)s::uuid[], %(quantities)s::integer[], %(prices)s::numeric[]) item
"""

MOVE_ON = "update orders set status = %(status)s where id = %(id)s and status = %(found)s"

CANCEL = "update orders set status = 'CANCELLED' where id = %(id)s and status in ('PENDING', 'CONFIRMED')"

ABANDON = "delete from orders where id = %(id)s and status = 'PENDING'"

FILL_CART = "insert into cart_items (user_id, book_id, quantity) values (%(user_id)s, %(book)s, 1)"

EMPTY_CART = "delete from cart_items where user_id = %(user_id)s"

REPRICE = "update books set price = %(price)s where id = %(id)s"

PUBLISH = """
insert into books (id, title, author, price, description, cover_url, isbn, genre, published_year)
select %(id)s, %(title)s, %(author)s, %(price)s, %(description)s, %(cover_url)s, %(isbn)s, %(genre)s, %(published_year)s
where (select count(*) from books) < 40
on conflict do nothing
"""

RESERVE = """
update inventory set reserved = reserved + %(copies)s, updated_at = now()
where book_id = %(book)s and quantity - reserved >= %(copies)s
"""

RELEASE = """
update inventory set reserved = reserved - %(copies)s, updated_at = now()
where book_id = %(book)s and reserved >= %(copies)s
"""

TAKE_OUT = """
update inventory set quantity = quantity - %(copies)s, reserved = reserved - %(copies)s, updated_at = now()
where book_id = %(book)s and quantity >= %(copies)s and reserved >= %(copies)s
"""

STOCK = "insert into inventory (book_id, quantity) values (%(book)s, %(copies)s) on conflict do nothing"

# The scarcest book, unless there is enough of every one.
RESTOCK = """
update inventory set quantity = quantity + %(copies)s, updated_at = now()
where book_id = (select book_id from inventory where quantity - reserved < 6 order by quantity - reserved, book_id limit 1)
"""
