-- The shop's database. An order's items go with it; a book may be gone while orders of it remain.
create table if not exists books (
  id uuid primary key default gen_random_uuid(),
  title text not null,
  author text not null,
  price numeric(10, 2),
  description text,
  cover_url text,
  isbn text unique,
  genre text,
  published_year integer,
  created_at timestamptz not null default now()
);

create table if not exists orders (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  total numeric(10, 2) not null,
  status text default 'PENDING',
  created_at timestamptz not null default now()
);
create index if not exists orders_open on orders (created_at) where status in ('PENDING', 'CONFIRMED', 'SHIPPED');

create table if not exists order_items (
  id uuid primary key default gen_random_uuid(),
  order_id uuid not null references orders on delete cascade,
  book_id uuid not null,
  quantity integer not null,
  price_at_purchase numeric(10, 2) not null
);
create index if not exists order_items_of_order on order_items (order_id);

create table if not exists cart_items (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  book_id uuid not null,
  quantity integer not null,
  added_at timestamptz not null default now()
);
create index if not exists cart_items_of_user on cart_items (user_id);
