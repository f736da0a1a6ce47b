"""Names of what capture makes in a source database and in Kafka. All derive from the project's names."""

from project.models import Project, Source


def slot(project: Project, source: Source) -> str:
    """The replication slot and the publication of a source."""
    return f"headrace_{project.name}_{source.name}".replace("-", "_")


def pulse(project: Project, source: Source) -> str:
    """The key of a source's row in the pulse table, which several projects may share."""
    return f"{project.name}.{source.name}"


def heartbeat_topic(connector: str) -> str:
    """Debezium's own heartbeats; nobody reads them, but Debezium stops without their topic."""
    return f"__debezium-heartbeat.{connector}"
