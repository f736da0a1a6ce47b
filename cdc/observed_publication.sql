-- A publication by its name.
select
  p.pubname as name,
  obj_description(p.oid, 'pg_publication') as comment,
  array_remove(array[
    case when p.pubinsert then 'insert' end,
    case when p.pubupdate then 'update' end,
    case when p.pubdelete then 'delete' end,
    case when p.pubtruncate then 'truncate' end
  ], null) as operations,
  array(
    select t.schemaname || '.' || t.tablename from pg_publication_tables t
    where t.pubname = p.pubname
    order by 1
  ) as tables
from pg_publication p
where p.pubname = %(publication)s
