"""Prepare Superset in one process: migrate its database, then roles and users. Safe to repeat; free when nothing changed.

Run with Superset's own Python and the environment of superset_config.py. What was done last is remembered in the
metadata database itself, so that an erased or restored database is never taken for a prepared one.
"""

import hashlib
import hmac
import os
import sys
from importlib.metadata import version
from pathlib import Path

import psycopg2
import superset_config
from sqlalchemy.engine import make_url
from superset_roles import PERMISSIONS

_SECRETS = Path(os.environ["HEADRACE_STATE"]) / "secrets"
_PROJECTS = os.environ["HEADRACE_PROJECTS"].split()
# Whoever holds a project's role sees its dashboards; what an analyst may do with them is the role Analyst's.
_SEES = {project: f"Analyst of {project}" for project in _PROJECTS}
_USERS = {
    "admin": ["Admin"],
    "deployer": ["Deployer"],
    "analyst": ["Analyst", *_SEES.values()],
    **{f"analyst-{project}": ["Analyst", role] for project, role in _SEES.items()},
}
_KEPT_EVENTS = "30 days"


def main() -> None:
    """Bring the metadata database up to date with this release, these files and these passwords."""
    done = _fingerprint()
    if _remembered() == done:
        print("superset: nothing to prepare")
        return
    # Importing and creating the application takes seconds: only when there is something to do.
    from superset.app import create_app

    app = create_app()
    with app.app_context():
        _migrate()
        _sync_roles()
        _sync_users()
    _remember(done)
    print("superset: database, roles and users are up to date")


def _fingerprint() -> str:
    """Keyed, so that what stands in the database tells nothing about the passwords."""
    parts = [version("apache-superset").encode(), *(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))]
    parts += [" ".join(_PROJECTS).encode()]
    parts += [(_SECRETS / f"superset_{user}").read_bytes() for user in _USERS]
    return hmac.new(superset_config.SECRET_KEY.encode(), b"\0".join(parts), hashlib.sha256).hexdigest()


def _connect() -> "psycopg2.extensions.connection":
    url = make_url(superset_config.SQLALCHEMY_DATABASE_URI)
    return psycopg2.connect(host=url.host, port=url.port, dbname=url.database, user=url.username, password=url.password, connect_timeout=10)


def _remembered() -> str | None:
    with _connect() as connection, connection.cursor() as cursor:
        cursor.execute("select to_regclass('headrace_bootstrap') is not null")
        if cursor.fetchone() != (True,):
            return None
        # Every restart passes here: a good moment to keep the log of user actions bounded.
        cursor.execute("delete from logs where dttm < now() at time zone 'utc' - %s::interval", (_KEPT_EVENTS,))
        cursor.execute("select done from headrace_bootstrap")
        row = cursor.fetchone()
        return row[0] if row else None


def _remember(done: str) -> None:
    with _connect() as connection, connection.cursor() as cursor:
        cursor.execute("create table if not exists headrace_bootstrap (done text not null)")
        cursor.execute("delete from headrace_bootstrap")
        cursor.execute("insert into headrace_bootstrap values (%s)", (done,))


def _migrate() -> None:
    import superset
    from flask_migrate import upgrade

    upgrade(directory=str(Path(superset.__file__).parent / "migrations"))


def _sync_roles() -> None:
    """Superset's own roles as it ships them; ours hold exactly what superset_roles says, dataset grants aside."""
    from superset import appbuilder, db, security_manager

    appbuilder.add_permissions(update_perms=True)
    security_manager.sync_role_definitions()
    for name, wanted in (PERMISSIONS | {role: set() for role in _SEES.values()}).items():
        role = security_manager.add_role(name)
        found = [security_manager.find_permission_view_menu(*permission) for permission in sorted(wanted)]
        missing = [permission for permission, view in zip(sorted(wanted), found, strict=True) if view is None]
        if missing:
            sys.exit(f"superset: role {name} names permissions that this release does not have: {missing}; mend superset_roles.py")
        role.permissions = found
    db.session.commit()


def _sync_users() -> None:
    from superset import db, security_manager
    from werkzeug.security import check_password_hash

    for name, role_names in _USERS.items():
        password = (_SECRETS / f"superset_{name}").read_text().strip()
        roles = [security_manager.find_role(role_name) for role_name in role_names]
        user = security_manager.find_user(name)
        if user is None:
            security_manager.add_user(name, "Headrace", name.capitalize(), f"{name}@headrace.invalid", roles, password)
            continue
        user.roles = roles
        if not check_password_hash(user.password, password):
            security_manager.reset_password(user.id, password)
    db.session.commit()


if __name__ == "__main__":
    main()
