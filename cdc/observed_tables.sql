-- The named tables: whether partitioned, columns with their types, primary key, replica identity, and what the role may do with them.
-- A domain counts as the type below it, however deep; each enum as "enum".
with recursive below as (
  select oid as domain, typbasetype as base, typtypmod as modifier from pg_type where typtype = 'd'
  union all
  select d.domain, t.typbasetype, case t.typtypmod when -1 then d.modifier else t.typtypmod end
  from below d join pg_type t on t.oid = d.base where t.typtype = 'd'
)
select
  n.nspname || '.' || c.relname as name,
  c.relkind = 'p' as partitioned,
  case c.relreplident when 'f' then 'full' when 'd' then 'default' when 'n' then 'nothing' else 'index' end as replica_identity,
  (
    select coalesce(json_object_agg(a.attname, case
      when t.typtype = 'e' then 'enum'
      when e.typtype = 'e' then 'enum[]'
      else format_type(coalesce(b.base, a.atttypid), coalesce(b.modifier, a.atttypmod))
    end order by a.attnum), '{}')
    from pg_attribute a
    left join lateral (
      select base, modifier from below where domain = a.atttypid and base not in (select domain from below)
    ) b on true
    join pg_type t on t.oid = coalesce(b.base, a.atttypid)
    left join pg_type e on e.oid = t.typelem and t.typcategory = 'A'
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
    select p from unnest(array['delete', 'insert', 'select', 'update']) p
    join pg_roles r on r.rolname = %(role)s
    where has_table_privilege(r.oid, c.oid, p)
  ) as grants
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and n.nspname || '.' || c.relname = any (%(tables)s)
