"""Where a project is applied: the endpoints of one environment and references to their secrets.

The embedded platform writes such a file for itself; for existing clusters a person writes it. Secret values never stand
in the file: each is a reference to an environment variable or to a file that only its owner can read.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from project.located_yaml import read_yaml
from project.problems import Problem
from project.resources import Refused, Unreachable
from project.spec_errors import say_problems
from project.specs import Spec
from project.text_files import read_text

# Of connections to PostgreSQL: one whose other end is gone without a word ends within two minutes, where the system's own would take hours.
HALF_OPEN: dict[str, Any] = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}


class EndpointError(Refused):
    """The environment file cannot be used; the text says where and what to do."""


class Secret(Spec):
    """A reference to a secret: exactly one of an environment variable or a file with mode 0600."""

    env: str | None = None
    file: Path | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> "Secret":
        if (self.env is None) == (self.file is None):
            raise ValueError("a secret names both of env and file, or neither; expected one of them; correct it")
        return self

    def reveal(self) -> str:
        """The value itself, read at the moment of use."""
        try:
            return self.file.read_text().strip() if self.file else os.environ[str(self.env)]
        except KeyError:
            what = f"environment variable {self.env} is not set"
            raise EndpointError(f"{what}; the environment file ({self.declared_at}) refers to it; set it") from None
        except (OSError, UnicodeDecodeError) as error:
            what = f"secret file {self.file} cannot be read: {getattr(error, 'strerror', 'not UTF-8')}"
            raise EndpointError(f"{what}; the environment file ({self.declared_at}) refers to it; mend it") from None


class Login(Spec):
    user: str
    password: Secret
    # How the system that logs in finds the same password, e.g. Connect's "${file:/etc/headrace/connect.properties:capture}".
    reference: str | None = None


class Database(Spec):
    """A PostgreSQL database with the logins that Headrace uses in it."""

    host: str
    port: int = 5432
    database: str | None = None  # None: the name that the source's spec gives
    admin: Login  # may create what an apply needs: docs/environments.md


class SourceDatabase(Database):
    capture: Login  # what Debezium logs in as


class AnalyticsDatabase(Database):
    writer: Login  # what Flink writes as; Flink finds the password in its pgpass file
    reader: Login  # what Superset reads as


class Kafka(Spec):
    """The brokers, and how they are reached: by TLS, by a login (SASL), by both or by neither."""

    bootstrap_servers: str
    replication_factor: int = 1
    tls: bool = False
    authority: Path | None = None  # PEM file of who signs the brokers' certificates; None: whom this machine trusts
    login: Login | None = None
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"  # of the login

    @model_validator(mode="after")
    def _trusts_for_a_reason(self) -> Self:
        if self.authority and not self.tls:
            raise ValueError("authority without tls; expected tls: true; add it, or remove authority")
        return self

    @property
    def security(self) -> dict[str, str]:
        """What all clients are told alike; empty where neither TLS nor a login is asked for."""
        protocol = f"{'SASL_' if self.login else ''}{'SSL' if self.tls else 'PLAINTEXT'}"
        said = {} if protocol == "PLAINTEXT" else {"security.protocol": protocol}
        return said | ({"sasl.mechanism": self.mechanism} if self.login else {})

    def client(self) -> dict[str, Any]:
        """What one of librdkafka's clients is told. Raises Refused if the password cannot be read."""
        told: dict[str, Any] = {"bootstrap.servers": self.bootstrap_servers, "log_level": 0, **self.security}
        place = f"Kafka at {self.bootstrap_servers}"
        if self.authority:
            if not self.authority.is_file():
                raise Refused(f"{place}: there is no file {self.authority}; correct kafka.authority in the environment file")
            told["ssl.ca.location"] = str(self.authority)
        if self.login:
            told |= {"sasl.username": self.login.user, "sasl.password": self.login.password.reveal()}
            if not told["sasl.password"]:
                raise Refused(f"{place}: the password of {self.login.user} is empty; correct kafka.login in the environment file")
        return told

    def away(self, error: Any, said: Iterable[Any] = ()) -> Refused:
        """Why a request failed: an error of librdkafka, and what its client has said of its connections since."""
        place = f"Kafka at {self.bootstrap_servers}"
        if error.name().endswith("_AUTHORIZATION_FAILED"):
            who = self.login.user if self.login else "us"
            return Refused(f"{place} lets {who} in, but denies a right: {error.str()}; grant what docs/environments.md asks of Kafka")
        if refusals := [one.str() for one in list(said) if one.name() in ("_AUTHENTICATION", "_SSL")]:
            return Unreachable(f"{place} lets nobody in: {refusals[0]}; correct kafka in the environment file")
        return Unreachable(f"{place} does not answer: {error.str()}; start it, then try again")


class Connect(Spec):
    url: str


class Flink(Spec):
    url: str  # the JobManager's REST and web address
    gateway_url: str
    kafka_authority: str | None = None  # the file of kafka.authority on its machines; None: whom their Java trusts


class Registry(Spec):
    url: str  # of the API that Confluent's registry has, such as http://registry:8081; Apicurio has it under /apis/ccompat/v7
    login: Login | None = None  # None: it asks for none


class Superset(Spec):
    url: str
    deployer: Login
    analyst_role: str = "Analyst"  # sees the dashboards; "{project}" in it stands for the project's name


class Dagster(Spec):
    url: str


class Alerts(Spec):
    """Where checks that changed are told of, in JSON (docs/operation.md)."""

    url: Secret  # whoever knows it may post there


class Environment(Spec):
    """All endpoints a project is applied to. `sources` is keyed by source name; "default" serves the others."""

    name: str
    sources: dict[str, SourceDatabase] = Field(default_factory=dict)
    kafka: Kafka
    connect: Connect
    flink: Flink
    analytics: AnalyticsDatabase
    superset: Superset
    dagster: Dagster
    registry: Registry | None = None  # of Avro schemas; only for projects that write Avro
    alerts: Alerts | None = None
    longest_outage_hours: int = Field(default=24, ge=1, le=8760)  # of any of them, after which nothing may be lost

    @model_validator(mode="after")
    def _flink_trusts_for_a_reason(self) -> Self:
        if self.flink.kafka_authority and not self.kafka.tls:
            raise ValueError("flink.kafka_authority, and kafka without tls; expected tls: true; add it, or remove kafka_authority")
        return self

    @property
    def schema_registry(self) -> Registry:
        """Where a project that writes Avro registers its schemas."""
        if self.registry is None:
            what = f"environment {self.name!r} has no schema registry, and the project writes Avro"
            raise EndpointError(f"{what}; add registry.url to its file; on the embedded platform `headrace up` does so")
        return self.registry

    def source(self, name: str) -> SourceDatabase:
        """The database behind a source of the project."""
        found = self.sources.get(name) or self.sources.get("default")
        if found is None:
            raise EndpointError(f"environment {self.name!r} has no endpoint for source {name!r}; add sources.{name} or sources.default")
        return found


def read_environment(path: Path) -> Environment:
    """Read an environment file; raises EndpointError with every problem in it."""
    if not os.path.exists(path):  # noqa: PTH110 - Path.exists raises where a folder may not be entered
        raise EndpointError(f"{path}: there is no such environment file; run `make up` or name one with --environment")
    problems: list[Problem] = []
    text = read_text(path, problems)
    data = read_yaml(text, str(path), problems) if text is not None else None
    if data is not None and not problems:
        try:
            return Environment.model_validate(data)
        except ValidationError as error:
            problems += say_problems(error, data)
    raise EndpointError("\n".join(map(str, sorted(problems))))
