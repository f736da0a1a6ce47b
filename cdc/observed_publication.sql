-- A publication by its name. A table of which it leaves rows or columns out is another than the table. Through jsonb, because older
-- servers have neither.
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
    select concat(
      t.schemaname, '.', t.tablename,
      case when to_jsonb(r) ->> 'prattrs' is not null then ', some columns' end,
      ', rows where ' || (to_jsonb(t) ->> 'rowfilter')
    )
    from pg_publication_tables t
    left join pg_publication_rel r on r.prpubid = p.oid and r.prrelid = format('%%I.%%I', t.schemaname, t.tablename)::regclass
    where t.pubname = p.pubname
    order by 1
  ) as tables
from pg_publication p
where p.pubname = %(publication)s
