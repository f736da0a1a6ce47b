"""What Flink would refuse to read is found by its bytes, and nothing else is."""

import json
from typing import Any

import pytest

from flink.records import fault
from project.models import SourceTable

TABLE = SourceTable.model_validate({"key": ["id"], "columns": {"id": "integer", "total": "numeric(10,2)", "rate": "double precision"}})
PLACE = {"lsn": 29401528}
ROW = {"id": 1, "total": "9.99", "rate": 0.5}


def change(op: str, **images: Any) -> bytes:
    return json.dumps({"op": op, "before": None, "after": None} | images).encode()


@pytest.mark.parametrize(
    "value",
    [
        change("c", after=ROW), change("r", after=ROW | {"total": None}), change("u", before=ROW, after=ROW | {"rate": "NaN"}),
        change("u", after=ROW), change("d", before=ROW | {"rate": {}}, source=PLACE), change("c", after=ROW | {"id": "7", "more": [1]}),
    ],
)  # fmt: skip
def test_a_change_of_a_row_is_read(value: bytes):
    assert fault(value, TABLE) is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"{not json", "it is not JSON"),
        (b"\xff\xfe\x00", "it is not JSON"),
        (b'{"op": "c", "after": {"id": 1, "rate": NaN}}', "it is not JSON"),
        (b"[1]", "it is not a change"),
        (b"{}", "its operation is None, not one of c, r, u, d"),
        (change("x"), "its operation is 'x', not one of c, r, u, d"),
        (change("t"), "the table was truncated at its source, which a mirror does not repeat by itself"),
        (change("c"), "'after' is no row"),
        (change("c", after=[1]), "'after' is no row"),
        (change("u", before=ROW), "'after' is no row"),
        (change("d", before={"total": "1"}, source=PLACE), "'before' has no id, which is of the key"),
        (change("d", before=ROW), "it deletes a row, and does not say where in the source's log"),
        (change("u", before={"id": "seven"}, after=ROW), "before.id is no integer"),
        (change("c", before=[1], after=ROW), "'before' is no row"),
        (change("c", after=ROW, source=[1]), "it does not say where it comes from"),
        (change("c", after=ROW, source={"lsn": "A/1"}), "it does not say where it comes from"),
        (b"", "it is not JSON"),
        (change("c", after=ROW | {"id": "seven"}), "after.id is no integer"),
        (change("c", after=ROW | {"id": 1 << 31}), "after.id is no integer"),
        (change("c", after=ROW | {"id": True}), "after.id is no integer"),
        (change("c", after=ROW | {"rate": {}}), "after.rate is no double precision"),
        (change("c", after=ROW | {"rate": False}), "after.rate is no double precision"),
    ],
)
def test_what_is_no_change_of_a_row_says_why(value: bytes, reason: str):
    assert fault(value, TABLE) == reason


def test_a_pulse_has_to_be_json_alone():
    assert fault(b"{}", None) is None and fault(b"beat", None) == "it is not JSON"
