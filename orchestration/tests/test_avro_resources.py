"""What a project is made of that writes events as Avro."""

from pathlib import Path

import pytest

from orchestration.catalogue import Catalogue, build_catalogue
from project.environment import read_environment
from project.loader import load_project
from project.resources import Refused, State

ROOT = Path(__file__).resolve().parents[2]
TOPIC = "topic/cars.events.filtered-loan-events"


@pytest.fixture
def catalogue() -> Catalogue:
    """The cars, with the loans in Avro, where there is no registry."""
    cars = load_project(ROOT / "examples" / "cars")
    routing = cars.streams["routing"].model_copy(update={"avro": ("filtered-loan-events",)})
    project = cars.model_copy(update={"streams": {"routing": routing}})
    return build_catalogue(project, read_environment(Path(__file__).with_name("environment.yaml")))


def test_events_are_subjects_and_a_consumer_writes_their_topic(catalogue: Catalogue):
    subjects = {one.id for one in catalogue.of_kind("subject")}
    names = ("CarCreated", "CarServiceDone", "LoanCreated", "LoanPaymentSubmitted")
    assert subjects == {f"subject/cars.events.Filtered{name}" for name in names}
    assert catalogue.by_id["subject/cars.events.FilteredLoanCreated"].document["compatibility"] == "FULL"
    assert catalogue.by_id["subject/cars.events.FilteredLoanCreated"].depends_on == ("event/LoanCreated",), "refused with its schema"
    encoder = catalogue.by_id["consumer/routing-avro"]
    assert set(encoder.depends_on) >= {TOPIC, f"{TOPIC}-avro", *subjects}
    assert catalogue.by_id[f"{TOPIC}-avro"].document == catalogue.by_id[TOPIC].document, "as many partitions, so that a key's order stays"


def test_filters_write_what_they_wrote_before(catalogue: Catalogue):
    before = build_catalogue(load_project(ROOT / "examples" / "cars"), catalogue.environment)
    assert not before.of_kind("subject")
    assert catalogue.by_id["job/routing"].text == before.by_id["job/routing"].text


def test_an_environment_without_a_registry_is_told(catalogue: Catalogue):
    subject, said = catalogue.of_kind("subject")[0], "has no schema registry, and the project writes Avro; add registry.url to its file"
    with pytest.raises(Refused, match=said):
        catalogue.backend(subject).read(subject)
    health = catalogue.backend(subject).health(subject)
    assert health.state is State.FAILED and said in health.text
    assert list(catalogue.backends["registry"].owned()) == []
