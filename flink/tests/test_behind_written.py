"""A job that takes over begins behind what the one before it has written, and no further."""

from flink.event_log import behind_written
from flink.records import Letter


def written(**headers: str) -> Letter:
    return Letter("cars.events.large", 0, 0, 0, None, b"", headers={f"headrace.{name}": text for name, text in headers.items()})


def test_it_begins_behind_the_last_raw_event_of_each_partition_that_was_written():
    assert behind_written({0: 5, 1: 7}, [written(origin="0:9"), written(origin="0:6"), written(origin="1:3")]) == {0: 10, 1: 7}


def test_what_was_replayed_or_written_by_others_moves_it_nowhere():
    replayed = written(origin="0:900", replayed="cars.events.routing-dead-letters:0:5")
    found = [replayed, written(), written(origin="x"), written(origin="4:1")]
    assert behind_written({0: 5}, found) == {0: 5}
