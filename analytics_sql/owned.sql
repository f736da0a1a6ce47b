-- Everything in the database whose comment ends with a project's mark.
select 'schema' as kind, nspname as name, obj_description(oid, 'pg_namespace') as comment
from pg_namespace
union all
select case c.relkind when 'v' then 'view' else 'table' end, c.relname, obj_description(c.oid, 'pg_class')
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = %(schema)s and c.relkind in ('r', 'v')
order by kind, name
