-- A replication slot by its name. Through jsonb, because older servers have no invalidation_reason.
select
  active,
  wal_status,
  safe_wal_size as safe,
  to_jsonb(s) ->> 'invalidation_reason' as invalidation,
  pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::bigint as lag,
  pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint as retained,
  pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint as written,
  extract(epoch from clock_timestamp() - reader.backend_start)::float8 as read_for
from pg_replication_slots s
left join pg_stat_activity reader on reader.pid = s.active_pid
where slot_name = %(slot)s
