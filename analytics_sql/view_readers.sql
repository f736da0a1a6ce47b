-- Every view that reads a relation, directly or through others, after those that it reads itself.
with recursive readers as (
  select r.ev_class as oid, 1 as depth
  from pg_depend d
  join pg_rewrite r on r.oid = d.objid
  where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass
    and d.refobjid = %(oid)s::regclass and r.ev_class <> d.refobjid
  union
  select r.ev_class, readers.depth + 1
  from readers
  join pg_depend d on d.refobjid = readers.oid
  join pg_rewrite r on r.oid = d.objid
  where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass and r.ev_class <> d.refobjid
)
select
  n.nspname as schema,
  c.relname as name,
  obj_description(c.oid, 'pg_class') as comment,
  pg_get_viewdef(c.oid) as definition,
  (
    select json_object_agg(a.attname, json_build_object('comment', coalesce(col_description(c.oid, a.attnum), '')))
    from pg_attribute a
    where a.attrelid = c.oid and a.attnum > 0
  ) as columns
from (select oid, max(depth) as depth from readers group by oid) readers
join pg_class c on c.oid = readers.oid
join pg_namespace n on n.oid = c.relnamespace
order by readers.depth, c.relname
