-- What the server and the capture role bring along: one row.
select
  current_setting('wal_level') as wal_level,
  array(select slot_name::text from pg_replication_slots order by 1) as slots,
  current_setting('max_replication_slots')::int as most_slots,
  r.rolname as name,
  coalesce(r.rolcanlogin, false) as login,
  -- Amazon's servers grant a role where others set an attribute.
  coalesce(r.rolreplication or r.rolsuper or exists (
    select from pg_roles granted where granted.rolname in ('rds_replication', 'rds_superuser') and pg_has_role(r.oid, granted.oid, 'member')
  ), false) as replication,
  coalesce(has_database_privilege(r.oid, current_database(), 'connect'), false) as connect,
  array(
    select n.nspname::text from pg_namespace n
    where n.nspname = any (%(schemas)s) and has_schema_privilege(r.oid, n.oid, 'usage')
    order by 1
  ) as usage
from (select %(role)s::text as wanted) w
left join pg_roles r on r.rolname = w.wanted
