"""What our roles may do in Superset, and nothing else. Who sees which data is said by the dashboards (DASHBOARD_RBAC)."""

# Applies a project's content. It cannot touch users, roles or SQL Lab.
_DEPLOYER = {
    ("all_database_access", "all_database_access"),
    ("all_datasource_access", "all_datasource_access"),
    ("can_read", "SecurityRestApi"),
    *((right, kind) for right in ("can_read", "can_write", "can_export") for kind in ("Database", "Dataset", "Chart", "Dashboard")),
    ("can_warm_up_cache", "Chart"),
    ("can_warm_up_cache", "Dataset"),
}

# Looks at dashboards: filters, reads the numbers and the query behind a chart, exports to CSV, shares a link.
# Superset's own Gamma may write charts and dashboards. Drill to detail is left out: it would need a grant per dataset,
# and whoever may grant that may grant anything.
_ANALYST = {
    ("can_csv", "Superset"),
    ("can_dashboard", "Superset"),
    ("can_dashboard_permalink", "Superset"),
    ("can_get", "MenuApi"),
    ("can_language_pack", "Superset"),
    ("can_log", "Superset"),
    ("can_read", "AvailableDomains"),
    ("can_read", "Chart"),
    ("can_read", "CurrentUserRestApi"),
    ("can_read", "Dashboard"),
    ("can_read", "DashboardFilterStateRestApi"),
    ("can_read", "DashboardPermalinkRestApi"),
    ("can_read", "SecurityRestApi"),
    ("can_read", "Theme"),
    ("can_recent_activity", "Log"),
    ("can_share_dashboard", "Superset"),
    ("can_time_range", "Api"),
    ("can_view_chart_as_table", "Dashboard"),
    ("can_view_query", "Dashboard"),
    ("can_write", "DashboardFilterStateRestApi"),
    ("can_write", "DashboardPermalinkRestApi"),
    ("menu_access", "Dashboards"),
    ("menu_access", "Home"),
}

PERMISSIONS = {"Deployer": _DEPLOYER, "Analyst": _ANALYST}
