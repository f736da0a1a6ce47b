-- A table or view as the server has it, with what each role may effectively do, by whatever way it came to that; no row if it does not exist.
select
  case c.relkind when 'r' then 'table' when 'v' then 'view' else 'relation of kind ' || c.relkind::text end as relation,
  obj_description(c.oid, 'pg_class') as comment,
  case when c.relkind = 'v' then pg_get_viewdef(c.oid) end as definition,
  (
    select json_object_agg(a.attname, json_build_object(
      'type', replace(replace(format_type(a.atttypid, a.atttypmod), ' without time zone', ''), 'character varying', 'varchar'),
      'required', a.attnotnull,
      'default', pg_get_expr(d.adbin, d.adrelid),
      'comment', coalesce(col_description(c.oid, a.attnum), '')
    ) order by a.attnum)
    from pg_attribute a
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  ) as columns,
  array(
    select a.attname::text
    from pg_index i
    cross join unnest(i.indkey) with ordinality k (attnum, position)
    join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
    where i.indrelid = c.oid and i.indisprimary
    order by k.position
  ) as key,
  array(
    select a.attname::text
    from pg_index i
    join pg_class x on x.oid = i.indexrelid and x.relname = c.relname || '_index'
    cross join unnest(i.indkey) with ordinality k (attnum, position)
    join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
    where i.indrelid = c.oid and i.indisvalid
    order by k.position
  ) as index,
  exists (
    select
    from pg_trigger t
    join pg_proc p on p.oid = t.tgfoid
    -- 19: for each row, before update.
    where t.tgrelid = c.oid and t.tgname = %(arrival)s and p.proname = %(arrival)s and p.pronamespace = n.oid
      and t.tgtype = 19 and t.tgenabled in ('O', 'A')
  ) as arrival_trigger,
  (
    select p.prosrc
    from pg_trigger t
    join pg_proc p on p.oid = t.tgfoid
    -- 7: for each row, before insert.
    where t.tgrelid = c.oid and t.tgname = %(departure)s and p.proname = c.relname and p.pronamespace = n.oid
      and t.tgtype = 7 and t.tgenabled in ('O', 'A')
      and pg_get_triggerdef(t.oid) like '%% WHEN ((new.source_position < 0)) %%'
  ) as departure_function,
  (
    select json_object_agg(role, array(
      select privilege
      from unnest(array['DELETE', 'INSERT', 'REFERENCES', 'SELECT', 'TRIGGER', 'TRUNCATE', 'UPDATE']) privilege
      where has_table_privilege(role, c.oid, privilege)
    ))
    from unnest(%(roles)s::text[]) role
  ) as grants
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = %(schema)s and c.relname = %(name)s and c.relkind in ('r', 'v', 'm', 'p', 'f')
