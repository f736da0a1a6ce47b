-- The named tables: columns with their types, primary key, replica identity, and what the role may do with them.
select
  n.nspname || '.' || c.relname as name,
  case c.relreplident when 'f' then 'full' when 'd' then 'default' when 'n' then 'nothing' else 'index' end as replica_identity,
  (
    select coalesce(json_object_agg(a.attname, case when t.typtype = 'e' then 'enum' else format_type(a.atttypid, a.atttypmod) end order by a.attnum), '{}')
    from pg_attribute a join pg_type t on t.oid = a.atttypid
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  ) as columns,
  array(
    select a.attname::text
    from pg_index i
    cross join unnest(i.indkey::int2[]) with ordinality k (attnum, place)
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
    where i.indrelid = c.oid and i.indisprimary and k.place <= i.indnkeyatts
    order by k.place
  ) as key,
  array(
    select p from unnest(array['insert', 'select', 'update']) p
    join pg_roles r on r.rolname = %(role)s
    where has_table_privilege(r.oid, c.oid, p)
  ) as grants
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and n.nspname || '.' || c.relname = any (%(tables)s)
