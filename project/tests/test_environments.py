"""An environment file: what it says, and what its author reads when it is wrong."""

from pathlib import Path

import pytest
from confluent_kafka import KafkaError

from project.environment import HALF_OPEN, EndpointError, Secret, read_environment
from project.resources import Refused, Unreachable

GOOD = """\
name: staging
sources:
  default:
    host: db.example
    admin: {user: postgres, password: {env: SOURCE_PASSWORD}}
    capture: {user: capture, password: {file: /run/secrets/capture}}
kafka: {bootstrap_servers: "kafka.example:9092"}
connect: {url: "http://connect.example:8083"}
flink: {url: "http://flink.example:8081", gateway_url: "http://flink.example:8083"}
analytics:
  host: db.example
  database: analytics
  admin: {user: postgres, password: {env: ANALYTICS_PASSWORD}}
  writer: {user: writer, password: {env: WRITER_PASSWORD}}
  reader: {user: reader, password: {env: READER_PASSWORD}}
superset: {url: "http://superset.example", deployer: {user: deployer, password: {env: SUPERSET_PASSWORD}}}
dagster: {url: "http://dagster.example"}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("staging.yaml")


def test_a_source_of_its_own_comes_before_the_default(file: Path) -> None:
    shop = "shop: {host: shop.example, admin: {user: a, password: {env: A}}, capture: {user: c, password: {env: C}}}"
    file.write_text(GOOD.replace("sources:\n", f"sources:\n  {shop}\n"))
    environment = read_environment(file)
    assert (environment.source("shop").host, environment.source("warehouse").host) == ("shop.example", "db.example")
    with pytest.raises(EndpointError, match=r"has no endpoint for source 'shop'; add sources.shop or sources.default"):
        environment.model_copy(update={"sources": {}}).source("shop")


def test_every_problem_of_the_file_is_said_with_its_line(file: Path) -> None:
    file.write_text(GOOD.replace("host: db.example\n    admin", "hots: db.example\n    admin").replace("{env: READER_PASSWORD}", "{}"))
    with pytest.raises(EndpointError) as raised:
        read_environment(file)
    assert str(raised.value).splitlines() == [
        'staging.yaml:4: unknown key "hots"; expected one of admin, capture, database, host, port; did you mean "host"?',
        "staging.yaml:15: a secret names both of env and file, or neither; expected one of them; correct it",
    ]


def test_a_missing_file_says_the_way_out(file: Path) -> None:
    with pytest.raises(
        EndpointError, match=r"^staging.yaml: there is no such environment file; run `make up` or name one with --environment$"
    ):
        read_environment(file)


def test_a_secret_is_read_when_it_is_used(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(GOOD)
    analytics = read_environment(file).analytics
    with pytest.raises(
        EndpointError, match=r"^environment variable ANALYTICS_PASSWORD is not set; the environment file \(staging.yaml:13\) refers to it"
    ):
        analytics.admin.password.reveal()
    monkeypatch.setenv("ANALYTICS_PASSWORD", "s3cret")
    assert analytics.admin.password.reveal() == "s3cret"


def test_a_secret_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3cret\n")
    assert Secret(file=tmp_path / "password").reveal() == "s3cret"
    with pytest.raises(EndpointError, match=r"secret file .*/gone cannot be read: No such file or directory"):
        Secret(file=tmp_path / "gone").reveal()


def secured(more: str) -> str:
    return GOOD.replace('"kafka.example:9092"', f'"kafka.example:9092", {more}')


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("replication_factor: 3", {}),
        ("tls: true", {"security.protocol": "SSL"}),
        ("tls: true, authority: ca.pem", {"security.protocol": "SSL", "ssl.ca.location": "ca.pem"}),
        (
            "login: {user: headrace, password: {env: KAFKA_PASSWORD}}, mechanism: PLAIN",
            {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": "headrace", "sasl.password": "s3cret"},
        ),
        (
            "tls: true, login: {user: headrace, password: {env: KAFKA_PASSWORD}}",
            {"security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512", "sasl.username": "headrace", "sasl.password": "s3cret"},
        ),
    ],
)
def test_kafkas_clients_are_told_how_to_get_in(more: str, told: dict[str, str], file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_PASSWORD", "s3cret")
    Path("ca.pem").touch()
    file.write_text(secured(more))
    assert read_environment(file).kafka.client() == {"bootstrap.servers": "kafka.example:9092", "log_level": 0, **told}


def test_an_authority_without_tls_is_refused(file: Path) -> None:
    file.write_text(secured("authority: /etc/kafka/ca.pem"))
    with pytest.raises(EndpointError, match=r"^staging.yaml:7: authority without tls; expected tls: true; add it, or remove authority$"):
        read_environment(file)


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("login: {user: headrace, password: {env: NO_PASSWORD}}", r"environment variable NO_PASSWORD is not set; .*staging.yaml:7\)"),
        ("login: {user: headrace, password: {env: EMPTY}}", "Kafka at kafka.example:9092: the password of headrace is empty; correct"),
        ("tls: true, authority: /nowhere/ca.pem", "Kafka at kafka.example:9092: there is no file /nowhere/ca.pem; correct kafka.authority"),
    ],
)
def test_what_kafkas_clients_cannot_use_is_told_as_what_it_is(
    more: str, problem: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMPTY", "")
    file.write_text(secured(more))
    with pytest.raises(Refused, match=f"^{problem}"):
        read_environment(file).kafka.client()


def test_a_right_that_kafka_denies_is_not_taken_for_a_kafka_that_is_away(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_PASSWORD", "s3cret")
    file.write_text(secured("login: {user: headrace, password: {env: KAFKA_PASSWORD}}"))
    kafka = read_environment(file).kafka
    denied, silent = (kafka.away(KafkaError(code)) for code in (KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError._TIMED_OUT))
    assert isinstance(silent, Unreachable) and not isinstance(denied, Unreachable)
    assert "lets headrace in, but denies a right: Broker: Group authorization failed; grant what docs/environments.md" in str(denied)


def test_flink_is_told_of_an_authority_only_where_there_is_tls(file: Path) -> None:
    file.write_text(GOOD.replace("flink.example:8083\"", "flink.example:8083\", kafka_authority: /etc/ca.pem"))
    with pytest.raises(EndpointError, match=r"flink.kafka_authority, and kafka without tls; expected tls: true"):
        read_environment(file)


def test_a_database_whose_host_is_gone_without_a_word_is_given_up_within_two_minutes():
    assert HALF_OPEN == {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}
