-- What decides whether changes survive an outage, and whether times are what they seem: one row.
-- Sizes in bytes, times in seconds; NULL where the server is too old to have it.
select
  (select setting::bigint * case when setting = '-1' then 1 else 1024 * 1024 end from pg_settings where name = 'max_slot_wal_keep_size')
    as wal_limit,
  (select setting::bigint from pg_settings where name = 'idle_replication_slot_timeout') as slot_timeout,
  current_setting('fsync') as fsync,
  current_setting('full_page_writes') as full_page_writes,
  wal.bytes::float8 / nullif(wal.seconds, 0) as wal_per_second,
  wal.seconds::float8 as wal_measured_for,
  zone.reset_val as time_zone,
  (
    select bool_and(instant at time zone zone.reset_val = instant at time zone 'UTC')
    from (values (timestamptz '2026-01-01 00:00+00'), ('2026-07-01 00:00+00')) as of_both_halves_of_a_year (instant)
  ) as utc,
  array(
    select n.nspname || '.' || c.relname || '.' || a.attname
    from pg_attrdef d
    join pg_class c on c.oid = d.adrelid
    join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
    cross join lateral (select pg_get_expr(d.adbin, d.adrelid) as expression) as written
    where n.nspname || '.' || c.relname || '.' || a.attname = any (%(columns)s)
      and a.atttypid = 'timestamp'::regtype and a.attgenerated = ''
      and expression ~* '\m(now|(transaction|statement|clock)_timestamp)\(\)|current_timestamp|current_date|localtimestamp' and expression !~* 'at time zone|timezone\('
    order by 1
  ) as local_times
from (select wal_bytes as bytes, extract(epoch from clock_timestamp() - stats_reset) as seconds from pg_stat_wal) wal
cross join (select reset_val from pg_settings where name = 'TimeZone') zone
