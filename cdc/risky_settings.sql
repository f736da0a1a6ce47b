-- What decides whether changes survive an outage: one row. Sizes in bytes, times in seconds; NULL where the server is too old to have it.
select
  (select setting::bigint * case when setting = '-1' then 1 else 1024 * 1024 end from pg_settings where name = 'max_slot_wal_keep_size')
    as wal_limit,
  (select setting::bigint from pg_settings where name = 'idle_replication_slot_timeout') as slot_timeout,
  current_setting('fsync') as fsync,
  current_setting('full_page_writes') as full_page_writes,
  wal.bytes::float8 / nullif(wal.seconds, 0) as wal_per_second,
  wal.seconds::float8 as wal_measured_for
from (select wal_bytes as bytes, extract(epoch from clock_timestamp() - stats_reset) as seconds from pg_stat_wal) wal
