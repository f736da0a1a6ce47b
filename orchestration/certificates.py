"""What a comparison of a table with its source has found."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from project.resources import Health, State

Key = tuple[str, ...]
Row = Mapping[str, str | None]  # a column's value as PostgreSQL writes it
_NAMED = 5  # keys in the text of a check


@dataclass(frozen=True)
class Difference:
    """A row that is not the same on both sides; None: the row is not there."""

    key: Key
    source: Row | None
    analytics: Row | None


@dataclass(frozen=True)
class Certificate:
    """What was found of one table."""

    table: str
    source: str  # the captured table, with its source's name
    rows: int
    differences: tuple[Difference, ...]
    changing: int  # rows that changed at each look, so that nothing can be said of them
    complete: bool  # False: so many rows differ that no more were looked for
    position: str  # of the source's log, up to which both sides were compared
    at: datetime  # when the source was there, on its clock, in UTC
    behind: float  # seconds that a change took to arrive
    seconds: float  # that the comparison took

    @property
    def count(self) -> str:
        """How many rows differ, in words."""
        return f"{'' if self.complete else 'at least '}{len(self.differences)}"

    def health(self) -> Health:
        """As a check shows it."""
        facts = {
            "rows": self.rows, "differences": len(self.differences), "rows_that_kept_changing": self.changing, "position": self.position,
            "seconds_behind": round(self.behind, 2), "seconds": round(self.seconds, 1),
        }  # fmt: skip
        if not self.differences:
            text = f"equal to {self.source} as of {self.at:%H:%M:%S} UTC, position {self.position}: {self.rows:,} rows"
            restless = f"; {self.changing} of them kept changing and were not compared" if self.changing else ""
            return Health(State.PASSED, text + restless, facts | {"equal_as_of": f"{self.at:%Y-%m-%d %H:%M:%S} UTC"})
        keys = "; ".join(", ".join(difference.key) for difference in self.differences[:_NAMED])
        text = f"{self.count} rows differ from {self.source}, the first by their keys: {keys}; `headrace verify {self.table}` shows them"
        return Health(State.FAILED, text, facts)
