"""What was done to the rows of a table beside its stream, and what was found of them, stands on the table's page in Dagster."""

import dagster as dg

from orchestration.assets import asset_key, health_result
from orchestration.catalogue import Catalogue
from orchestration.certificates import EQUAL, Certificate


def enter(catalogue: Catalogue, table: str, done: str, **facts: str | int) -> None:
    """Leave an entry for an analytics table."""
    key = asset_key(catalogue.project, f"table/{table}")
    dg.DagsterInstance.get().report_runless_asset_event(dg.AssetObservation(asset_key=key, description=done, metadata=dict(facts)))


def clear(catalogue: Catalogue, certificate: Certificate) -> None:
    """Let the check of a table that was just found equal be green at once, not at its next round."""
    found = health_result(EQUAL, certificate.health())
    if found.passed:
        key = asset_key(catalogue.project, f"table/{certificate.table}")
        check = dg.AssetCheckEvaluation(key, EQUAL, True, dict(found.metadata or {}), description=found.description)
        dg.DagsterInstance.get().report_runless_asset_event(check)
