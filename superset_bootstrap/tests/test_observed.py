"""What Superset says it holds, against what we want: equal when nothing was touched, and telling when something was."""

import copy
import json
from collections.abc import Mapping
from typing import Any

import pytest

from project.environment import Environment
from project.models import Project
from project.resources import Document
from superset_bootstrap.compile import compile_resources
from superset_bootstrap.observed import observed_chart, observed_dashboard, observed_dataset

Exported = dict[str, Any]


@pytest.fixture
def desired(bookstore: Project, environment: Environment) -> dict[str, Document]:
    return {resource.id: resource.document for resource in compile_resources(bookstore, environment)}


@pytest.fixture
def dashboard(desired: dict[str, Document]) -> Document:
    return desired["dashboard/inventory"]


def unequal(desired: Any, observed: Any, path: str = "") -> set[str]:
    """Paths of the declared fields that are not as declared: how a plan compares."""
    if isinstance(desired, Mapping) and isinstance(observed, Mapping):
        return {found for key, value in desired.items() for found in unequal(value, observed.get(key), f"{path}.{key}" if path else key)}
    return set() if desired == observed else {path}


def exported_chart(document: Document) -> Exported:
    """As Superset exports a chart that was just imported."""
    context = {**document["query_context"], "datasource": {"id": 7, "type": "table"}}
    params = {**document["params"], "datasource": "7__table", "annotation_layers": []}
    return {**copy.deepcopy(dict(document)), "params": params, "query_context": json.dumps(context)}


def exported_dataset(document: Document) -> Exported:
    columns = [{"column_name": name, "type": "TEXT", "expression": None, **column} for name, column in document["columns"].items()]
    metrics = [{"metric_name": name, **metric} for name, metric in document["metrics"].items()]
    return {**document, "columns": columns, "metrics": [*metrics, {"metric_name": "count", "expression": "COUNT(*)"}]}


def exported_dashboard(document: Document) -> tuple[Exported, dict[str, int]]:
    """With Superset's numbers, 100 more than the local ids, and the numbers by uuid."""
    exported = copy.deepcopy(dict(document))
    numbers: dict[str, int] = {}
    for component in exported["position"].values():
        if isinstance(component, dict) and component["type"] == "CHART":
            component["meta"]["chartId"] += 100
            numbers[component["meta"]["uuid"]] = component["meta"]["chartId"]
    metadata = exported["metadata"]
    metadata["shared_label_colors"] = ["written by looking"]
    clicks = [chart["crossFilters"] for chart in metadata["chart_configuration"].values()]
    for scoped in [*metadata["native_filter_configuration"], *clicks]:
        scoped["scope"]["excluded"] = [number + 100 for number in scoped["scope"]["excluded"]]
    metadata["chart_configuration"] = {
        str(int(key) + 100): {**chart, "id": chart["id"] + 100} for key, chart in metadata["chart_configuration"].items()
    }
    return exported, numbers


def test_an_untouched_chart_is_as_desired(desired: dict[str, Document]):
    for resource_id, document in desired.items():
        if resource_id.startswith("chart/"):
            assert not unequal(document, observed_chart(exported_chart(document), document))


def test_an_option_that_somebody_switched_on_in_a_chart_shows(desired: dict[str, Document]):
    document = desired["chart/sales.order_status"]
    exported = exported_chart(document)
    exported["params"]["roseType"] = "area"
    observed = observed_chart(exported, document)
    assert unequal(document, observed) == {"undeclared"}
    assert observed["undeclared"] == ["params.roseType"]


def test_an_untouched_dataset_is_as_desired(desired: dict[str, Document]):
    document = desired["dataset/vw_sales_over_time"]
    assert not unequal(document, observed_dataset(exported_dataset(document), document))


def test_a_metric_that_somebody_added_to_a_dataset_shows(desired: dict[str, Document]):
    document = desired["dataset/vw_sales_over_time"]
    exported = exported_dataset(document)
    exported["metrics"].append({"metric_name": "my_margin", "expression": "1"})
    assert observed_dataset(exported, document)["undeclared"] == ["metrics.my_margin"]


def test_an_untouched_dashboard_is_as_desired(dashboard: Document):
    exported, numbers = exported_dashboard(dashboard)
    assert not unequal(dashboard, observed_dashboard(exported, dashboard, numbers, dashboard["roles"], dashboard["charts"]))


def test_a_dashboard_whose_chart_was_deleted_and_made_again_shows(dashboard: Document):
    exported, numbers = exported_dashboard(dashboard)
    lost = dashboard["position"]["CHART-health"]["meta"]["uuid"]
    numbers[lost] = 999
    linked = [uuid for uuid in dashboard["charts"] if uuid != lost]
    observed = observed_dashboard(exported, dashboard, numbers, dashboard["roles"], linked)
    assert {"charts", "position.CHART-health.meta.chartId"} <= unequal(dashboard, observed)


def test_a_dashboard_that_was_closed_to_the_analysts_shows(dashboard: Document):
    exported, numbers = exported_dashboard(dashboard)
    assert unequal(dashboard, observed_dashboard(exported, dashboard, numbers, [], dashboard["charts"])) == {"roles"}


def test_a_text_that_somebody_put_on_a_dashboard_shows(dashboard: Document):
    exported, numbers = exported_dashboard(dashboard)
    exported["position"]["MARKDOWN-mine"] = {"id": "MARKDOWN-mine", "type": "MARKDOWN", "meta": {"code": "hello"}}
    observed = observed_dashboard(exported, dashboard, numbers, dashboard["roles"], dashboard["charts"])
    assert unequal(dashboard, observed) == {"undeclared"}
    assert observed["undeclared"] == ["position.MARKDOWN-mine"]
