"""How live content is: a connection reaches its database, a chart answers, and a number with a proof is the source's own."""

from project.charts import BigNumber
from project.environment import Environment
from project.models import Project
from project.resources import Health, Refused, Resource, State
from superset_bootstrap.charts import chart_id
from superset_bootstrap.client import SupersetClient
from superset_bootstrap.contents import Contents
from superset_bootstrap.proofs import Number, prove


class Healths:
    """Of the resources of one project."""

    def __init__(self, project: Project, environment: Environment, client: SupersetClient, contents: Contents) -> None:
        self._project = project
        self._environment = environment
        self._client = client
        self._contents = contents
        charts = [(dashboard.name, chart) for dashboard in project.dashboards.values() for chart in dashboard.charts]
        self._proven = {chart_id(name, chart): chart for name, chart in charts if isinstance(chart, BigNumber) and chart.proof}

    def of(self, resource: Resource) -> Health:
        """What does not answer is part of the result."""
        try:
            number = self._contents.number(resource)
            if number is None:
                return Health(State.FAILED, f"{resource.id} is not in Superset; apply it")
            match resource.kind:
                case "database":
                    return self._database(resource, number)
                case "chart":
                    return self._chart(resource, number)
                case _:
                    return Health(State.PASSED, f"{resource.id} is in Superset")
        except Refused as refused:
            return Health(State.FAILED, f"{resource.id}: {refused}")

    def _database(self, resource: Resource, number: int) -> Health:
        if (connects := self._contents.connects(number)) is True:
            return Health(State.PASSED, "Superset answers and reaches the analytics database")
        way_out = f"start it, or apply {resource.id} if its address or password changed"
        return Health(State.FAILED, f"Superset cannot reach the analytics database: {connects}; {way_out}")

    def _shown(self, number: int, metric: str) -> Number:
        row = next(iter(self._client.chart_data(number, fresh=True)), {metric: None})
        if metric not in row:
            raise Refused(f"it shows {', '.join(row)}, and not {metric}: it was changed by hand; apply it")
        if not isinstance(row[metric], Number):
            raise Refused(f"it shows {row[metric]}, and a proof expects a number; correct its metric")
        return row[metric]

    def _chart(self, resource: Resource, number: int) -> Health:
        rows = self._client.chart_data(number)
        if not rows:
            advice = "its view has no rows, or none with a number; check that the streams it reads are running"
            return Health(State.WARNING, f"{resource.id} is empty: {advice}", {"rows": 0})
        if (chart := self._proven.get(resource.id)) and chart.proof:
            place, metric = self._environment.source(chart.proof.source), chart.metric
            return prove(resource.id, chart.proof, self._project, place, lambda: self._shown(number, str(metric)))
        return Health(State.PASSED, f"{resource.id} answers with {len(rows)} rows", {"rows": len(rows)})
