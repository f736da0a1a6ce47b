-- Everything in a schema that rows can be read from. A domain counts as the type below it, however deep; each enum as "enum".
with recursive below as (
  select oid as domain, typbasetype as base, typtypmod as modifier from pg_type where typtype = 'd'
  union all
  select d.domain, t.typbasetype, case t.typtypmod when -1 then d.modifier else t.typtypmod end
  from below d join pg_type t on t.oid = d.base where t.typtype = 'd'
)
select
  n.nspname as schema,
  c.relname as name,
  c.relkind::text as kind,
  c.relpersistence <> 'u' as logged,
  coalesce(obj_description(c.oid, 'pg_class'), '') as comment,
  case when c.reltuples >= 0 then c.reltuples::bigint end as estimated_rows,
  case when c.relispartition then (select p.relname from pg_inherits h join pg_class p on p.oid = h.inhparent where h.inhrelid = c.oid) end as partition_of,
  array(
    select a.attname::text
    from pg_index i
    cross join unnest(i.indkey::int2[]) with ordinality k (attnum, place)
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
    where i.indrelid = c.oid and i.indisprimary and k.place <= i.indnkeyatts
    order by k.place
  ) as key,
  array(
    select a.attname::text
    from pg_attribute a join (
      select i.indkey::int2[] as places from pg_index i
      where i.indrelid = c.oid and i.indisunique and i.indimmediate and i.indisvalid and i.indpred is null and i.indexprs is null
        and i.indnatts = i.indnkeyatts
        and not exists (select from pg_attribute n where n.attrelid = c.oid and n.attnum = any (i.indkey::int2[]) and not n.attnotnull)
      order by i.indnatts, i.indexrelid limit 1
    ) u on a.attnum = any (u.places)
    where a.attrelid = c.oid
    order by array_position(u.places, a.attnum)
  ) as "unique",
  (
    select coalesce(json_agg(json_build_object(
      'name', a.attname,
      'type', case
        when t.typtype = 'e' then 'enum'
        when e.typtype = 'e' then 'enum[]'
        else format_type(coalesce(b.base, a.atttypid), coalesce(b.modifier, a.atttypmod))
      end,
      'comment', coalesce(col_description(c.oid, a.attnum), ''),
      'generated', a.attgenerated <> ''
    ) order by a.attnum), '[]')
    from pg_attribute a
    left join lateral (select base, modifier from below where domain = a.atttypid and base not in (select domain from below)) b on true
    join pg_type t on t.oid = coalesce(b.base, a.atttypid)
    left join pg_type e on e.oid = t.typelem and t.typcategory = 'A'
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  ) as columns
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = %(schema)s
  and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and c.relname not in ('headrace_pulse', 'headrace_signal')
  and not exists (select from pg_depend d where d.objid = c.oid and d.classid = 'pg_class'::regclass and d.deptype = 'e')
order by c.relname
