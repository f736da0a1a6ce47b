-- What decides whether changes survive an outage: one row. Sizes in bytes, times in seconds; NULL where the server is too old to have it.
select
  (select setting::bigint * case when setting = '-1' then 1 else 1024 * 1024 end from pg_settings where name = 'max_slot_wal_keep_size')
    as wal_limit,
  (select setting::bigint from pg_settings where name = 'idle_replication_slot_timeout') as slot_timeout,
  current_setting('fsync') as fsync,
  current_setting('full_page_writes') as full_page_writes,
  (
    select coalesce(wal_bytes / nullif(extract(epoch from clock_timestamp() - stats_reset), 0), 0)::float8 from pg_stat_wal
  ) as wal_per_second
