"""What Superset's log keeps: who changed or opened something. Without this each look at a chart adds five rows."""

from typing import Any

from superset.utils.log import DBEventLogger

_CHANGES = {"post", "put", "delete", "bulk_delete", "import_"}
# Changes of the state of somebody's browser.
_PASSING = {"DashboardFilterStateRestApi", "ExploreFormDataRestApi"}


class AuditLogger(DBEventLogger):
    """Superset's own log in its database, less what only looks."""

    def log(self, user_id: int | None, action: str, *args: Any, **kwargs: Any) -> None:
        api, _, verb = action.rpartition(".")
        if action == "dashboard" or (verb in _CHANGES and api not in _PASSING):
            super().log(user_id, action, *args, **kwargs)
