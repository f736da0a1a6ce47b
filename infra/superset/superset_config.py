"""Superset's configuration on this platform: generated secrets, no outside calls, caches on disk.

Read by Superset itself (SUPERSET_CONFIG_PATH). HEADRACE_STATE is the state folder, HEADRACE_PORT_BASE the first port;
HEADRACE_ANALYTICS_ADDRESS (host:port) names the PostgreSQL server where it is not on this host.
"""

import os
import sys
from pathlib import Path

from sqlalchemy.engine import URL

sys.path.insert(0, str(Path(__file__).parent))  # Superset loads this file by its path, not from a package

from superset_audit import AuditLogger
from superset_login import throttle_logins
from superset_theme import COLOR_SCHEME, DARK, FAVICON, LIGHT

_STATE = Path(os.environ["HEADRACE_STATE"])
_PORT_BASE = int(os.environ["HEADRACE_PORT_BASE"])
_DB_HOST, _DB_PORT = os.environ.get("HEADRACE_ANALYTICS_ADDRESS", f"127.0.0.1:{_PORT_BASE + 33}").rsplit(":", 1)


def _secret(name: str) -> str:
    return (_STATE / "secrets" / name).read_text().strip()


# It encrypts the stored database passwords: losing it loses them.
SECRET_KEY = _secret("superset_secret_key")
SQLALCHEMY_DATABASE_URI = URL.create(
    "postgresql+psycopg2", "superset", _secret("superset_db"), _DB_HOST, int(_DB_PORT), "superset"
).render_as_string(hide_password=False)
SQLALCHEMY_ENGINE_OPTIONS = {"pool_pre_ping": True}
SQLALCHEMY_EXAMPLES_URI = None
DATA_DIR = str(_STATE / "superset")

# The defaults of these two are public strings.
GUEST_TOKEN_JWT_SECRET = _secret("superset_guest_jwt")
GLOBAL_ASYNC_QUERIES_JWT_SECRET = _secret("superset_async_jwt")

# Browsers keep cookies per host, not per port: the port in the name keeps two platforms on one host apart.
SESSION_COOKIE_NAME = f"headrace_superset_{_PORT_BASE + 88}"
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = True
# Behind TLS set these to True; on plain HTTP they would end in a login loop.
SESSION_COOKIE_SECURE = False
WTF_CSRF_ENABLED = True
TALISMAN_ENABLED = True
TALISMAN_CONFIG = {
    "force_https": False,
    "session_cookie_secure": False,
    "content_security_policy_nonce_in": ["script-src"],
    # Everything from this server alone; this also stops the tracking pixel that is built into the frontend.
    "content_security_policy": {
        "default-src": ["'self'"],
        "base-uri": ["'self'"],
        "connect-src": ["'self'"],
        "font-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "object-src": ["'none'"],
        "script-src": ["'self'", "'strict-dynamic'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "worker-src": ["'self'", "blob:"],
    },
}
ENABLE_CORS = False
FAB_API_SWAGGER_UI = False
PREVENT_UNSAFE_DB_CONNECTIONS = True
# Superset's own AUTH_RATE_LIMIT does not take effect in 6.1; the throttle does.
FLASK_APP_MUTATOR = throttle_logins

FEATURE_FLAGS = {
    # A dashboard names the roles that may see it, so the deployer grants access without the right to change roles.
    "DASHBOARD_RBAC": True,
    "ALERT_REPORTS": False,
    "CSS_TEMPLATES": False,
}


def _disk_cache(name: str, seconds: int) -> dict[str, object]:
    return {
        "CACHE_TYPE": "FileSystemCache",
        "CACHE_DIR": str(_STATE / "superset" / "cache" / name),
        "CACHE_DEFAULT_TIMEOUT": seconds,
        "CACHE_THRESHOLD": 5_000,
    }


_DAY = 24 * 3600
CACHE_CONFIG = _disk_cache("metadata", _DAY)
# Data changes all the time: a result is shared by all who look within these seconds, and no dashboard is older.
DATA_CACHE_CONFIG = _disk_cache("data", 5)
FILTER_STATE_CACHE_CONFIG = _disk_cache("filter_state", 90 * _DAY)
EXPLORE_FORM_DATA_CACHE_CONFIG = _disk_cache("explore", 7 * _DAY)
# Superset 6.1 asks for the formats in a database that it names after the schema, and logs the failure. Ours are no texts anyway.
DATASET_AUTO_DETECT_DATETIME_FORMATS = False
# An automatic refresh may be answered from that cache, so many viewers cost the database as much as one.
DASHBOARD_AUTO_REFRESH_MODE = "fetch"

APP_NAME = "Headrace"
FAVICONS = [{"href": FAVICON}]
THEME_DEFAULT = LIGHT
THEME_DARK = DARK
ENABLE_UI_THEME_ADMINISTRATION = False
EXTRA_CATEGORICAL_COLOR_SCHEMES = [COLOR_SCHEME]

LOG_LEVEL = "WARNING"
EVENT_LOGGER = AuditLogger()
