-- One row for each thing, as it stands now; what happened to it is told by business_events.
create table if not exists car_entities (
  entity_id text primary key, entity_data jsonb not null, updated_at timestamptz not null default now()
);
create table if not exists loan_entities (like car_entities including all);
create table if not exists loan_payment_entities (like car_entities including all);
create table if not exists service_record_entities (like car_entities including all);

-- The outbox. A day of it is kept to look into; Debezium reads the log, not the table.
create table if not exists business_events (
  id uuid primary key, entity_id text not null, event jsonb not null, created_at timestamptz not null default now()
);
create index if not exists business_events_created_at on business_events (created_at);
