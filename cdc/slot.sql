-- A replication slot by its name. Through jsonb, because older servers have no invalidation_reason.
select
  active,
  wal_status,
  safe_wal_size,
  to_jsonb(s) ->> 'invalidation_reason' as invalidation_reason,
  pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::bigint as lag,
  pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint as retained
from pg_replication_slots s
where slot_name = %(slot)s
