-- A schema as the server has it; no row if it does not exist.
select
  obj_description(n.oid, 'pg_namespace') as comment,
  not exists (select from pg_class c where c.relnamespace = n.oid) as empty,
  (
    select p.prosrc
    from pg_proc p
    where p.pronamespace = n.oid and p.proname = %(arrival)s and p.pronargs = 0
  ) as arrival_function,
  (
    select json_object_agg(role, has_database_privilege(role, current_database(), 'CONNECT'))
    from unnest(%(roles)s::text[]) role
  ) as connect,
  (
    select json_object_agg(role, array(
      select privilege
      from unnest(array['CREATE', 'USAGE']) privilege
      where has_schema_privilege(role, n.oid, privilege)
    ))
    from unnest(%(roles)s::text[]) role
  ) as grants,
  (
    select json_object_agg(lower(split_part(setting, '=', 1)), substr(setting, strpos(setting, '=') + 1))
    from pg_db_role_setting s
    join pg_roles r on r.oid = s.setrole
    join pg_database d on d.oid = s.setdatabase,
    unnest(s.setconfig) setting
    where r.rolname = %(reader)s and d.datname = current_database()
  ) as reader_settings
from pg_namespace n
where n.nspname = %(name)s
