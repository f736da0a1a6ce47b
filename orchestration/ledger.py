"""What was done to the rows of a table beside its stream stands on the table's page in Dagster, as an observation."""

import dagster as dg

from orchestration.assets import asset_key
from orchestration.catalogue import Catalogue


def enter(catalogue: Catalogue, table: str, done: str, **facts: str | int) -> None:
    """Leave an entry for an analytics table."""
    key = asset_key(catalogue.project, f"table/{table}")
    dg.DagsterInstance.get().report_runless_asset_event(dg.AssetObservation(asset_key=key, description=done, metadata=dict(facts)))
