"""Who a piece of Superset content is: stable UUIDs, the mark of ownership, the address of a dashboard. Pure."""

import re
from uuid import UUID, uuid5

_NAMESPACE = UUID("5b0f8a9e-6d0e-4e0b-9a57-3a3f4e0c7d11")
_MARK = re.compile(r"Applied by Headrace as (?P<project>[a-z0-9-]+)/(?P<id>\S+)\.")


def uuid_of(project: str, resource_id: str) -> str:
    """The same for the same project and id, everywhere and for ever."""
    return str(uuid5(_NAMESPACE, f"{project}/{resource_id}"))


def mark_of(project: str, resource_id: str) -> str:
    """The text by which people and we ourselves recognise what we own."""
    advice = "Change it in the project's files: what is changed here is undone by the next apply."
    return f"Applied by Headrace as {project}/{resource_id}. {advice}"


def marked_id(project: str, mark: str | None, uuid: str) -> str | None:
    """The resource id in a mark, if it belongs to this project and to this very object: a copy made by hand is not ours."""
    found = _MARK.search(mark or "")
    if found is None or found["project"] != project or uuid_of(project, found["id"]) != uuid:
        return None
    return found["id"]


def external_url(project: str, resource_id: str) -> str:
    """Superset stores it beside what is managed from outside."""
    return f"headrace:{project}/{resource_id}"


def slug_of(project: str, dashboard: str) -> str:
    """Slugs are shared by all projects on one Superset."""
    return f"{project}-{dashboard}"


def layout_id(chart: str) -> str:
    """A chart's place on its dashboard; also the anchor of a link to it."""
    return f"CHART-{chart}"
