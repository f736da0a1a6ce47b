-- What sources/example.yaml captures. Run it in a database `example` on the environment's source server.
create table orders (
  id bigint generated always as identity primary key,
  status text not null,
  total numeric(10, 2) not null,
  created_at timestamptz not null default now()
);
insert into orders (status, total)
values ('paid', 12.50), ('open', 8.00), ('cancelled', 30.00);
