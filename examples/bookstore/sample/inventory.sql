-- The warehouse's database. Reserved copies are still on the shelf.
create table if not exists inventory (
  book_id uuid primary key,
  quantity integer not null,
  reserved integer not null default 0,
  updated_at timestamptz not null default now()
);
