-- schema/public
create schema if not exists "public";
comment on schema "public" is 'Bookstore analytics [headrace bookstore 6d3f2ed52f91]';
revoke create on schema "public" from public;
grant connect on database "analyticsdb" to "headrace_writer";
revoke all on schema "public" from "headrace_writer";
grant usage on schema "public" to "headrace_writer";
grant connect on database "analyticsdb" to "headrace_reader";
revoke all on schema "public" from "headrace_reader";
grant usage on schema "public" to "headrace_reader";
alter role "headrace_reader" in database "analyticsdb" set default_transaction_read_only = 'on';
alter role "headrace_reader" in database "analyticsdb" set statement_timeout = '30s';
alter role "headrace_reader" in database "analyticsdb" set timezone = 'UTC';
create or replace function "public"."headrace_arrival"() returns trigger language plpgsql as $body$
begin
  if (new.source_position > old.source_position) is not true
    and (new.source_position < old.source_position or new is not distinct from old) then
    return null;
  end if;
  new.synced_at := clock_timestamp() at time zone 'utc';
  return new;
end
$body$;

-- table/fact_orders
create table "public"."fact_orders" (
  "id" uuid not null,
  "user_id" uuid,
  "total" numeric(10,2),
  "status" text,
  "created_at" timestamp,
  "source_committed_at" timestamp(3),
  "source_position" bigint,
  "from_snapshot" boolean,
  "synced_at" timestamp(6) default (clock_timestamp() AT TIME ZONE 'utc'::text),
  primary key ("id")
);
comment on table "public"."fact_orders" is 'Orders as they stand now in the shop, cancelled ones included. [headrace bookstore c9d94ea685cc]';
comment on column "public"."fact_orders"."id" is 'Identity of the order. [headrace bookstore]';
comment on column "public"."fact_orders"."user_id" is 'Who ordered. [headrace bookstore]';
comment on column "public"."fact_orders"."total" is 'What the customer pays, in US dollars: the sum over the order''s items. [headrace bookstore]';
comment on column "public"."fact_orders"."status" is 'PENDING, CONFIRMED, SHIPPED, DELIVERED or CANCELLED. [headrace bookstore]';
comment on column "public"."fact_orders"."created_at" is 'When the order was placed. [headrace bookstore]';
comment on column "public"."fact_orders"."source_committed_at" is 'When the row''s latest change was committed in the source (UTC). [headrace bookstore]';
comment on column "public"."fact_orders"."source_position" is 'Position of that change in the source''s log (LSN). [headrace bookstore]';
comment on column "public"."fact_orders"."from_snapshot" is 'Whether the row was copied when capture began, and not changed since. [headrace bookstore]';
comment on column "public"."fact_orders"."synced_at" is 'When the row was last written here (UTC). [headrace bookstore]';
create or replace function "public"."fact_orders"() returns trigger language plpgsql as $body$
begin
  delete from "public"."fact_orders" as kept
  where kept."id" = new."id" and (kept.source_position is null or kept.source_position <= -new.source_position);
  return null;
end
$body$;
create or replace trigger headrace_arrival before update on "public"."fact_orders" for each row execute function "public"."headrace_arrival"();
create or replace trigger headrace_departure before insert on "public"."fact_orders" for each row when (new.source_position < 0) execute function "public"."fact_orders"();
revoke all on "public"."fact_orders" from public, "headrace_writer", "headrace_reader";
grant delete, insert, select, update on "public"."fact_orders" to "headrace_writer";

-- table/fact_order_items
create table "public"."fact_order_items" (
  "id" uuid not null,
  "order_id" uuid,
  "book_id" uuid,
  "quantity" integer,
  "price_at_purchase" numeric(10,2),
  "source_committed_at" timestamp(3),
  "source_position" bigint,
  "from_snapshot" boolean,
  "synced_at" timestamp(6) default (clock_timestamp() AT TIME ZONE 'utc'::text),
  primary key ("id")
);
comment on table "public"."fact_order_items" is 'Books in orders as they stand now in the shop. [headrace bookstore 1db44c90105d]';
comment on column "public"."fact_order_items"."id" is 'Identity of the item. [headrace bookstore]';
comment on column "public"."fact_order_items"."order_id" is 'The order that it belongs to. [headrace bookstore]';
comment on column "public"."fact_order_items"."book_id" is 'The book that was ordered. [headrace bookstore]';
comment on column "public"."fact_order_items"."quantity" is 'How many copies. [headrace bookstore]';
comment on column "public"."fact_order_items"."price_at_purchase" is 'Price of one copy when it was ordered, in US dollars. [headrace bookstore]';
comment on column "public"."fact_order_items"."source_committed_at" is 'When the row''s latest change was committed in the source (UTC). [headrace bookstore]';
comment on column "public"."fact_order_items"."source_position" is 'Position of that change in the source''s log (LSN). [headrace bookstore]';
comment on column "public"."fact_order_items"."from_snapshot" is 'Whether the row was copied when capture began, and not changed since. [headrace bookstore]';
comment on column "public"."fact_order_items"."synced_at" is 'When the row was last written here (UTC). [headrace bookstore]';
create or replace function "public"."fact_order_items"() returns trigger language plpgsql as $body$
begin
  delete from "public"."fact_order_items" as kept
  where kept."id" = new."id" and (kept.source_position is null or kept.source_position <= -new.source_position);
  return null;
end
$body$;
create or replace trigger headrace_arrival before update on "public"."fact_order_items" for each row execute function "public"."headrace_arrival"();
create or replace trigger headrace_departure before insert on "public"."fact_order_items" for each row when (new.source_position < 0) execute function "public"."fact_order_items"();
revoke all on "public"."fact_order_items" from public, "headrace_writer", "headrace_reader";
grant delete, insert, select, update on "public"."fact_order_items" to "headrace_writer";

-- table/dim_books
create table "public"."dim_books" (
  "id" uuid not null,
  "title" text,
  "author" text,
  "price" numeric(10,2),
  "description" text,
  "cover_url" text,
  "isbn" text,
  "genre" text,
  "published_year" integer,
  "created_at" timestamp,
  "source_committed_at" timestamp(3),
  "source_position" bigint,
  "from_snapshot" boolean,
  "synced_at" timestamp(6) default (clock_timestamp() AT TIME ZONE 'utc'::text),
  primary key ("id")
);
comment on table "public"."dim_books" is 'Books as the shop offers them now. [headrace bookstore 2e46b10853aa]';
comment on column "public"."dim_books"."id" is 'Identity of the book. [headrace bookstore]';
comment on column "public"."dim_books"."title" is 'Title as printed. [headrace bookstore]';
comment on column "public"."dim_books"."author" is 'Author as printed. [headrace bookstore]';
comment on column "public"."dim_books"."price" is 'Price of one copy today, in US dollars. [headrace bookstore]';
comment on column "public"."dim_books"."description" is 'What the shop says about it. [headrace bookstore]';
comment on column "public"."dim_books"."cover_url" is 'Address of the cover picture. [headrace bookstore]';
comment on column "public"."dim_books"."isbn" is 'International Standard Book Number. [headrace bookstore]';
comment on column "public"."dim_books"."genre" is 'The shelf it stands on. [headrace bookstore]';
comment on column "public"."dim_books"."published_year" is 'Year of publication. [headrace bookstore]';
comment on column "public"."dim_books"."created_at" is 'When the shop began to offer it. [headrace bookstore]';
comment on column "public"."dim_books"."source_committed_at" is 'When the row''s latest change was committed in the source (UTC). [headrace bookstore]';
comment on column "public"."dim_books"."source_position" is 'Position of that change in the source''s log (LSN). [headrace bookstore]';
comment on column "public"."dim_books"."from_snapshot" is 'Whether the row was copied when capture began, and not changed since. [headrace bookstore]';
comment on column "public"."dim_books"."synced_at" is 'When the row was last written here (UTC). [headrace bookstore]';
create or replace function "public"."dim_books"() returns trigger language plpgsql as $body$
begin
  delete from "public"."dim_books" as kept
  where kept."id" = new."id" and (kept.source_position is null or kept.source_position <= -new.source_position);
  return null;
end
$body$;
create or replace trigger headrace_arrival before update on "public"."dim_books" for each row execute function "public"."headrace_arrival"();
create or replace trigger headrace_departure before insert on "public"."dim_books" for each row when (new.source_position < 0) execute function "public"."dim_books"();
revoke all on "public"."dim_books" from public, "headrace_writer", "headrace_reader";
grant delete, insert, select, update on "public"."dim_books" to "headrace_writer";

-- table/fact_inventory
create table "public"."fact_inventory" (
  "book_id" uuid not null,
  "quantity" integer,
  "reserved" integer,
  "updated_at" timestamp,
  "source_committed_at" timestamp(3),
  "source_position" bigint,
  "from_snapshot" boolean,
  "synced_at" timestamp(6) default (clock_timestamp() AT TIME ZONE 'utc'::text),
  primary key ("book_id")
);
comment on table "public"."fact_inventory" is 'Stock and reservations as they stand now in the warehouse. [headrace bookstore 512a70b66a32]';
comment on column "public"."fact_inventory"."book_id" is 'The book; its identity in the shop''s database. [headrace bookstore]';
comment on column "public"."fact_inventory"."quantity" is 'Copies on the shelf. [headrace bookstore]';
comment on column "public"."fact_inventory"."reserved" is 'Copies on the shelf that are promised to open orders. [headrace bookstore]';
comment on column "public"."fact_inventory"."updated_at" is 'When the warehouse last changed the row. [headrace bookstore]';
comment on column "public"."fact_inventory"."source_committed_at" is 'When the row''s latest change was committed in the source (UTC). [headrace bookstore]';
comment on column "public"."fact_inventory"."source_position" is 'Position of that change in the source''s log (LSN). [headrace bookstore]';
comment on column "public"."fact_inventory"."from_snapshot" is 'Whether the row was copied when capture began, and not changed since. [headrace bookstore]';
comment on column "public"."fact_inventory"."synced_at" is 'When the row was last written here (UTC). [headrace bookstore]';
create or replace function "public"."fact_inventory"() returns trigger language plpgsql as $body$
begin
  delete from "public"."fact_inventory" as kept
  where kept."book_id" = new."book_id" and (kept.source_position is null or kept.source_position <= -new.source_position);
  return null;
end
$body$;
create or replace trigger headrace_arrival before update on "public"."fact_inventory" for each row execute function "public"."headrace_arrival"();
create or replace trigger headrace_departure before insert on "public"."fact_inventory" for each row when (new.source_position < 0) execute function "public"."fact_inventory"();
revoke all on "public"."fact_inventory" from public, "headrace_writer", "headrace_reader";
grant delete, insert, select, update on "public"."fact_inventory" to "headrace_writer";

-- table/pulse
create table "public"."pulse" (
  "stream" text not null,
  "source" text,
  "pulse_at" timestamp(6),
  "unread_since" timestamp(3),
  "source_committed_at" timestamp(3),
  "source_position" bigint,
  "from_snapshot" boolean,
  "synced_at" timestamp(6) default (clock_timestamp() AT TIME ZONE 'utc'::text),
  primary key ("stream")
);
comment on table "public"."pulse" is 'How far each stream has come: one row per stream. [headrace bookstore 14f78803dd10]';
comment on column "public"."pulse"."stream" is 'The stream. [headrace bookstore]';
comment on column "public"."pulse"."source" is 'The source that it reads. [headrace bookstore]';
comment on column "public"."pulse"."pulse_at" is 'When the latest pulse that arrived left the source (UTC). [headrace bookstore]';
comment on column "public"."pulse"."unread_since" is 'When the source committed what waits unread in Kafka (UTC); NULL: nothing for long. [headrace bookstore]';
comment on column "public"."pulse"."source_committed_at" is 'When the row''s latest change was committed in the source (UTC). [headrace bookstore]';
comment on column "public"."pulse"."source_position" is 'Position of that change in the source''s log (LSN). [headrace bookstore]';
comment on column "public"."pulse"."from_snapshot" is 'Whether the row was copied when capture began, and not changed since. [headrace bookstore]';
comment on column "public"."pulse"."synced_at" is 'When the row was last written here (UTC). [headrace bookstore]';
create or replace function "public"."pulse"() returns trigger language plpgsql as $body$
begin
  delete from "public"."pulse" as kept
  where kept."stream" = new."stream" and (kept.source_position is null or kept.source_position <= -new.source_position);
  return null;
end
$body$;
create or replace trigger headrace_arrival before update on "public"."pulse" for each row execute function "public"."headrace_arrival"();
create or replace trigger headrace_departure before insert on "public"."pulse" for each row when (new.source_position < 0) execute function "public"."pulse"();
revoke all on "public"."pulse" from public, "headrace_writer", "headrace_reader";
grant delete, insert, select, update on "public"."pulse" to "headrace_writer";

-- table/certificates
create table "public"."certificates" (
  "analytics_table" text not null,
  "stream" text,
  "source_table" text,
  "equal_as_of" timestamp(6),
  "position" text,
  "compared_at" timestamp(6),
  "row_count" bigint,
  "differences" bigint,
  "not_compared" bigint,
  primary key ("analytics_table")
);
comment on table "public"."certificates" is 'Which tables were found equal to their source, and as of when: one row per table. [headrace bookstore 2e25d1c52f67]';
comment on column "public"."certificates"."analytics_table" is 'The table. [headrace bookstore]';
comment on column "public"."certificates"."stream" is 'The stream that writes it. [headrace bookstore]';
comment on column "public"."certificates"."source_table" is 'The source''s table, with the source''s name. [headrace bookstore]';
comment on column "public"."certificates"."equal_as_of" is 'When the source last stood as this table was then found to stand, row by row (UTC). [headrace bookstore]';
comment on column "public"."certificates"."position" is 'Where the source''s log stood at that time. [headrace bookstore]';
comment on column "public"."certificates"."compared_at" is 'When the tables were last compared, with whatever result (UTC). [headrace bookstore]';
comment on column "public"."certificates"."row_count" is 'How many rows this table had then. [headrace bookstore]';
comment on column "public"."certificates"."differences" is 'How many rows were not the same then. [headrace bookstore]';
comment on column "public"."certificates"."not_compared" is 'How many rows kept changing then, so that nothing is known of them. [headrace bookstore]';
revoke all on "public"."certificates" from public, "headrace_writer", "headrace_reader";

-- table/dead_letters
create table "public"."dead_letters" (
  "id" text not null,
  "stream" text,
  "target" text,
  "reason" text,
  "record_key" bytea,
  "record_value" bytea,
  "headers" jsonb,
  "written_at" timestamp(3),
  "set_aside_at" timestamp(3),
  "settled_at" timestamp(3),
  "settled" text,
  primary key ("id")
);
comment on table "public"."dead_letters" is 'Records that could not be read or written, as they stand in Kafka: none of them is dropped. [headrace bookstore 7be26edfc51c]';
comment on column "public"."dead_letters"."id" is 'Topic, partition and offset; with @ behind them if another letter is called so already. [headrace bookstore]';
comment on column "public"."dead_letters"."stream" is 'The stream that passed over it. [headrace bookstore]';
comment on column "public"."dead_letters"."target" is 'The table that it would have changed; of an event where it stands in its topic. [headrace bookstore]';
comment on column "public"."dead_letters"."reason" is 'Why it could not be read or written. [headrace bookstore]';
comment on column "public"."dead_letters"."record_key" is 'Its key, byte by byte. [headrace bookstore]';
comment on column "public"."dead_letters"."record_value" is 'Its value, byte by byte. [headrace bookstore]';
comment on column "public"."dead_letters"."headers" is 'Its headers, as texts. [headrace bookstore]';
comment on column "public"."dead_letters"."written_at" is 'When it was written to Kafka (UTC). [headrace bookstore]';
comment on column "public"."dead_letters"."set_aside_at" is 'When it was set aside (UTC). [headrace bookstore]';
comment on column "public"."dead_letters"."settled_at" is 'When its row was read again from the source, or it was discarded (UTC). [headrace bookstore]';
comment on column "public"."dead_letters"."settled" is 'How: replayed or discarded. [headrace bookstore]';
create index if not exists "dead_letters_index" on "public"."dead_letters" ("stream", "settled");
revoke all on "public"."dead_letters" from public, "headrace_writer", "headrace_reader";
grant insert, select, update on "public"."dead_letters" to "headrace_writer";

-- view/sold_items
create or replace view "public"."sold_items" as
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
comment on view "public"."sold_items" is 'One row per item of an order that is not cancelled; an order without a status is not cancelled. The other views of sales read this one, so that "sold" means one thing. An item whose order has not arrived is left out until it does, and vw_data_quality lists it. Money that is missing counts as 0 and is listed there too. [headrace bookstore]';
comment on column "public"."sold_items"."order_id" is 'The order.';
comment on column "public"."sold_items"."book_id" is 'The book.';
comment on column "public"."sold_items"."title" is 'Title of the book; (unknown book) until the shop''s row for it arrives.';
comment on column "public"."sold_items"."author" is 'Author of the book; (unknown author) if not known.';
comment on column "public"."sold_items"."genre" is 'Genre of the book; (unknown genre) if not known.';
comment on column "public"."sold_items"."quantity" is 'Copies.';
comment on column "public"."sold_items"."revenue" is 'Copies times the price at purchase, in US dollars.';
revoke all on "public"."sold_items" from public, "headrace_reader", "headrace_writer";
grant select on "public"."sold_items" to "headrace_reader";

-- view/sold_orders
create or replace view "public"."sold_orders" as
select id, created_at::date as sale_date, coalesce(total, 0)::numeric(38, 2) as total
from fact_orders
where status is distinct from 'CANCELLED';
comment on view "public"."sold_orders" is 'One row per order that is not cancelled; an order without a status is not cancelled. It does not join the items, so that a total is counted once. A missing total counts as 0 and is listed by vw_data_quality. [headrace bookstore]';
comment on column "public"."sold_orders"."id" is 'Identity of the order.';
comment on column "public"."sold_orders"."sale_date" is 'Day of the order in UTC: created_at is stored as a UTC timestamp, so no session setting moves it.';
comment on column "public"."sold_orders"."total" is 'What the customer pays, in US dollars.';
revoke all on "public"."sold_orders" from public, "headrace_reader", "headrace_writer";
grant select on "public"."sold_orders" to "headrace_reader";

-- view/vw_avg_order_value
create or replace view "public"."vw_avg_order_value" as
select
  sale_date,
  count(*) as order_count,
  round(sum(total) / count(*), 2) as avg_order_value,
  sum(total) as daily_revenue
from sold_orders
group by sale_date
order by sale_date;
comment on view "public"."vw_avg_order_value" is 'Orders, revenue and average order value of each UTC day. Cancelled orders do not count. Over several days the average is revenue divided by orders, never an average of daily averages. [headrace bookstore]';
comment on column "public"."vw_avg_order_value"."sale_date" is 'Day of the orders in UTC.';
comment on column "public"."vw_avg_order_value"."order_count" is 'Orders of that day.';
comment on column "public"."vw_avg_order_value"."avg_order_value" is 'Revenue of that day divided by its orders, in US dollars. Do not add it up.';
comment on column "public"."vw_avg_order_value"."daily_revenue" is 'Totals of that day''s orders, in US dollars.';
revoke all on "public"."vw_avg_order_value" from public, "headrace_reader", "headrace_writer";
grant select on "public"."vw_avg_order_value" to "headrace_reader";

-- view/vw_book_price_distribution
create or replace view "public"."vw_book_price_distribution" as
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
comment on view "public"."vw_book_price_distribution" is 'How many books are on offer in each range of today''s price. A range without a book is left out. [headrace bookstore]';
comment on column "public"."vw_book_price_distribution"."price_range" is 'Range of today''s price in US dollars; Unknown without a price.';
comment on column "public"."vw_book_price_distribution"."book_count" is 'Books on offer in this range.';
comment on column "public"."vw_book_price_distribution"."range_order" is 'Position of the range, cheapest first; Unknown comes last.';
revoke all on "public"."vw_book_price_distribution" from public, "headrace_reader", "headrace_writer";
grant select on "public"."vw_book_price_distribution" to "headrace_reader";

-- view/vw_cdc_latency
create or replace view "public"."vw_cdc_latency" as
select
  id,
  created_at,
  synced_at,
  round(extract(epoch from synced_at - source_committed_at), 3) as latency_seconds,
  source_committed_at
from fact_orders
where not from_snapshot;
comment on view "public"."vw_cdc_latency" is 'How long each order''s latest change took from its commit in the shop''s database to this one. Rows that were copied when capture began are left out: they tell how old the row is, not how long it travelled. [headrace bookstore]';
comment on column "public"."vw_cdc_latency"."id" is 'Identity of the order.';
comment on column "public"."vw_cdc_latency"."created_at" is 'When the order was placed (UTC).';
comment on column "public"."vw_cdc_latency"."synced_at" is 'When its latest change was written here (UTC).';
comment on column "public"."vw_cdc_latency"."latency_seconds" is 'Seconds from commit to arrival.';
comment on column "public"."vw_cdc_latency"."source_committed_at" is 'When its latest change was committed in the shop''s database (UTC).';
revoke all on "public"."vw_cdc_latency" from public, "headrace_reader", "headrace_writer";
grant select on "public"."vw_cdc_latency" to "headrace_reader";

-- view/vw_data_quality
create or replace view "public"."vw_data_quality" as
with items as (
  select
    order_id,
    coalesce(sum(quantity * price_at_purchase), 0)::numeric(38, 2) as item_total,
    max(synced_at) as synced_at
  from fact_order_items
  group by order_id
)
select
  'order total differs from its items' as finding,
  'fact_orders' as table_name,
  o.id as row_id,
  coalesce(i.item_total, 0) as expected,
  o.total::numeric(38, 2) as found,
  greatest(o.synced_at, i.synced_at) as since
from fact_orders o
left join items i on i.order_id = o.id
where o.total is distinct from coalesce(i.item_total, 0)
union all
select 'item without its order', 'fact_order_items', i.id, null, null, i.synced_at
from fact_order_items i
where not exists (select from fact_orders o where o.id = i.order_id)
union all
select 'item of an unknown book', 'fact_order_items', i.id, null, null, i.synced_at
from fact_order_items i
where not exists (select from dim_books b where b.id = i.book_id)
union all
select 'stock of an unknown book', 'fact_inventory', i.book_id, null, null, i.synced_at
from fact_inventory i
where not exists (select from dim_books b where b.id = i.book_id)
union all
select 'item without a quantity or price', 'fact_order_items', i.id, null, null, i.synced_at
from fact_order_items i
where i.quantity is null or i.price_at_purchase is null
union all
select 'more copies reserved than on the shelf', 'fact_inventory', i.book_id, i.quantity, i.reserved, i.synced_at
from fact_inventory i
where i.reserved > i.quantity;
comment on view "public"."vw_data_quality" is 'One row for each row of the shop or the warehouse that does not fit the others. Empty is good. Tables arrive on their own, so a row may be here for the moment until its partner arrives; what stays for a minute is wrong in the source. [headrace bookstore]';
comment on column "public"."vw_data_quality"."finding" is 'What does not fit.';
comment on column "public"."vw_data_quality"."table_name" is 'The table of the row.';
comment on column "public"."vw_data_quality"."row_id" is 'Identity of the row.';
comment on column "public"."vw_data_quality"."expected" is 'What would fit, where a number was expected.';
comment on column "public"."vw_data_quality"."found" is 'What stands there.';
comment on column "public"."vw_data_quality"."since" is 'When the row last arrived (UTC).';
revoke all on "public"."vw_data_quality" from public, "headrace_reader", "headrace_writer";
grant select on "public"."vw_data_quality" to "headrace_reader";

-- view/vw_freshness
create or replace view "public"."vw_freshness" as
with proven as (
  select stream, case when count(*) = count(equal_as_of) then min(equal_as_of) end as equal_as_of, sum(not_compared) as not_compared
  from certificates
  group by stream
)
select
  p.stream,
  p.source,
  p.pulse_at,
  greatest(extract(epoch from now() at time zone 'utc' - least(p.pulse_at, p.synced_at, p.unread_since)), 0)::numeric(18, 1) as age_seconds,
  proven.equal_as_of,
  proven.not_compared
from pulse p
left join proven on proven.stream = p.stream
order by age_seconds desc, p.stream;
comment on view "public"."vw_freshness" is 'How old the data of each stream is. Every source writes a pulse every few seconds that travels the same way as its data, so an idle shop is fresh and a broken chain is not. Where changes wait beside it, the oldest of them counts. [headrace bookstore]';
comment on column "public"."vw_freshness"."stream" is 'The stream.';
comment on column "public"."vw_freshness"."source" is 'The database it reads.';
comment on column "public"."vw_freshness"."pulse_at" is 'When the latest pulse that arrived left its source (UTC).';
comment on column "public"."vw_freshness"."age_seconds" is 'All that the source had committed this many seconds ago is here: its pulse has come, and at the last look (every 20 s) nothing older waited.';
comment on column "public"."vw_freshness"."equal_as_of" is 'As of when every table of the stream was found equal to its source, row by row (UTC); empty until all have been.';
comment on column "public"."vw_freshness"."not_compared" is 'Rows that changed at every look of the last comparisons, so that nothing is known of them.';
revoke all on "public"."vw_freshness" from public, "headrace_reader", "headrace_writer";
grant select on "public"."vw_freshness" to "headrace_reader";

-- view/vw_inventory_health
create or replace view "public"."vw_inventory_health" as
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
comment on view "public"."vw_inventory_health" is 'What is left of each book that the shop offers or the warehouse keeps, scarcest first. [headrace bookstore]';
comment on column "public"."vw_inventory_health"."title" is 'Title of the book, or (unknown book).';
comment on column "public"."vw_inventory_health"."author" is 'Author of the book, or (unknown author).';
comment on column "public"."vw_inventory_health"."stock_quantity" is 'Copies on the shelf; empty without a stock record.';
comment on column "public"."vw_inventory_health"."reserved" is 'Copies on the shelf that are promised to open orders.';
comment on column "public"."vw_inventory_health"."available" is 'Stock less reserved, never below 0.';
comment on column "public"."vw_inventory_health"."stock_status" is 'Critical: nothing available; Low: 1 to 3; OK: more; Unknown: no stock record.';
comment on column "public"."vw_inventory_health"."book_id" is 'Identity of the book.';
revoke all on "public"."vw_inventory_health" from public, "headrace_reader", "headrace_writer";
grant select on "public"."vw_inventory_health" to "headrace_reader";

-- view/vw_inventory_turnover
create or replace view "public"."vw_inventory_turnover" as
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
comment on view "public"."vw_inventory_turnover" is 'Copies sold of each book against the copies on the shelf, for every book that the shop offers, the warehouse keeps or a customer bought. Cancelled orders do not count. [headrace bookstore]';
comment on column "public"."vw_inventory_turnover"."title" is 'Title of the book, or (unknown book).';
comment on column "public"."vw_inventory_turnover"."author" is 'Author of the book, or (unknown author).';
comment on column "public"."vw_inventory_turnover"."current_stock" is 'Copies on the shelf; empty without a stock record.';
comment on column "public"."vw_inventory_turnover"."total_sold" is 'Copies sold.';
comment on column "public"."vw_inventory_turnover"."turnover_rate_pct" is 'Copies sold per copy on the shelf, in percent; empty where copies were sold and none is on the shelf, and without a stock record. Do not add it up.';
comment on column "public"."vw_inventory_turnover"."book_id" is 'Identity of the book.';
revoke all on "public"."vw_inventory_turnover" from public, "headrace_reader", "headrace_writer";
grant select on "public"."vw_inventory_turnover" to "headrace_reader";

-- view/vw_order_status_distribution
create or replace view "public"."vw_order_status_distribution" as
select
  coalesce(status, '(none)') as status,
  count(*) as order_count,
  coalesce(sum(total), 0)::numeric(38, 2) as total_revenue
from fact_orders
group by 1
order by order_count desc, status;
comment on view "public"."vw_order_status_distribution" is 'All orders by their status, cancelled ones included. [headrace bookstore]';
comment on column "public"."vw_order_status_distribution"."status" is 'Status of the orders; (none) where the shop has not set one.';
comment on column "public"."vw_order_status_distribution"."order_count" is 'Orders in this status.';
comment on column "public"."vw_order_status_distribution"."total_revenue" is 'Totals of these orders, in US dollars.';
revoke all on "public"."vw_order_status_distribution" from public, "headrace_reader", "headrace_writer";
grant select on "public"."vw_order_status_distribution" to "headrace_reader";

-- view/vw_product_sales_volume
create or replace view "public"."vw_product_sales_volume" as
select title, author, sum(quantity) as units_sold, sum(revenue) as revenue, book_id
from sold_items
group by book_id, title, author
order by units_sold desc, title, book_id;
comment on view "public"."vw_product_sales_volume" is 'How many copies of each book were sold, and for how much. Cancelled orders do not count. [headrace bookstore]';
comment on column "public"."vw_product_sales_volume"."title" is 'Title of the book, or (unknown book).';
comment on column "public"."vw_product_sales_volume"."author" is 'Author of the book, or (unknown author).';
comment on column "public"."vw_product_sales_volume"."units_sold" is 'Copies sold.';
comment on column "public"."vw_product_sales_volume"."revenue" is 'Copies times their price at purchase, in US dollars.';
comment on column "public"."vw_product_sales_volume"."book_id" is 'Identity of the book.';
revoke all on "public"."vw_product_sales_volume" from public, "headrace_reader", "headrace_writer";
grant select on "public"."vw_product_sales_volume" to "headrace_reader";

-- view/vw_revenue_by_author
create or replace view "public"."vw_revenue_by_author" as
select author, sum(quantity) as units_sold, sum(revenue) as revenue
from sold_items
group by author
order by revenue desc, author;
comment on view "public"."vw_revenue_by_author" is 'Copies sold and revenue of each author. Cancelled orders do not count. [headrace bookstore]';
comment on column "public"."vw_revenue_by_author"."author" is 'Author, or (unknown author).';
comment on column "public"."vw_revenue_by_author"."units_sold" is 'Copies sold.';
comment on column "public"."vw_revenue_by_author"."revenue" is 'Copies times their price at purchase, in US dollars.';
revoke all on "public"."vw_revenue_by_author" from public, "headrace_reader", "headrace_writer";
grant select on "public"."vw_revenue_by_author" to "headrace_reader";

-- view/vw_revenue_by_genre
create or replace view "public"."vw_revenue_by_genre" as
select genre, sum(quantity) as units_sold, sum(revenue) as revenue
from sold_items
group by genre
order by revenue desc, genre;
comment on view "public"."vw_revenue_by_genre" is 'Copies sold and revenue of each genre. Cancelled orders do not count. [headrace bookstore]';
comment on column "public"."vw_revenue_by_genre"."genre" is 'Genre, or (unknown genre).';
comment on column "public"."vw_revenue_by_genre"."units_sold" is 'Copies sold.';
comment on column "public"."vw_revenue_by_genre"."revenue" is 'Copies times their price at purchase, in US dollars.';
revoke all on "public"."vw_revenue_by_genre" from public, "headrace_reader", "headrace_writer";
grant select on "public"."vw_revenue_by_genre" to "headrace_reader";

-- view/vw_sales_over_time
create or replace view "public"."vw_sales_over_time" as
select sale_date, count(*) as order_count, sum(total) as daily_revenue
from sold_orders
group by sale_date
order by sale_date;
comment on view "public"."vw_sales_over_time" is 'Orders and revenue of each UTC day. Cancelled orders do not count. [headrace bookstore]';
comment on column "public"."vw_sales_over_time"."sale_date" is 'Day of the orders in UTC.';
comment on column "public"."vw_sales_over_time"."order_count" is 'Orders of that day.';
comment on column "public"."vw_sales_over_time"."daily_revenue" is 'Totals of that day''s orders, in US dollars.';
revoke all on "public"."vw_sales_over_time" from public, "headrace_reader", "headrace_writer";
grant select on "public"."vw_sales_over_time" to "headrace_reader";

-- view/vw_top_books_by_revenue
create or replace view "public"."vw_top_books_by_revenue" as
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
comment on view "public"."vw_top_books_by_revenue" is 'Books by the revenue they made, best first; equal revenues share a rank. Cancelled orders do not count. [headrace bookstore]';
comment on column "public"."vw_top_books_by_revenue"."title" is 'Title of the book, or (unknown book).';
comment on column "public"."vw_top_books_by_revenue"."author" is 'Author of the book, or (unknown author).';
comment on column "public"."vw_top_books_by_revenue"."units_sold" is 'Copies sold.';
comment on column "public"."vw_top_books_by_revenue"."total_revenue" is 'Copies times their price at purchase, in US dollars.';
comment on column "public"."vw_top_books_by_revenue"."revenue_rank" is '1 is the best; after a tie the next rank is left out.';
comment on column "public"."vw_top_books_by_revenue"."book_id" is 'Identity of the book.';
revoke all on "public"."vw_top_books_by_revenue" from public, "headrace_reader", "headrace_writer";
grant select on "public"."vw_top_books_by_revenue" to "headrace_reader";
