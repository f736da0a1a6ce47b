"""Where a project is applied: the endpoints of one environment and references to their secrets.

The embedded platform writes such a file for itself; for existing clusters a person writes it. Secret values never stand
in the file: each is a reference to an environment variable or to a file that only its owner can read.
"""

import os
from pathlib import Path

from pydantic import Field, ValidationError, model_validator

from project.located_yaml import read_yaml
from project.problems import Problem
from project.spec_errors import say_problems
from project.specs import Spec
from project.text_files import read_text


class EndpointError(Exception):
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
    admin: Login  # may create roles, publications, schemas


class SourceDatabase(Database):
    capture: Login  # what Debezium logs in as


class AnalyticsDatabase(Database):
    writer: Login  # what Flink writes as; Flink finds the password in its pgpass file
    reader: Login  # what Superset reads as


class Kafka(Spec):
    bootstrap_servers: str
    replication_factor: int = 1


class Connect(Spec):
    url: str


class Flink(Spec):
    url: str  # the JobManager's REST and web address
    gateway_url: str


class Registry(Spec):
    url: str  # of the API that Confluent's registry has, such as http://registry:8081; Apicurio has it under /apis/ccompat/v7
    login: Login | None = None  # None: it asks for none


class Superset(Spec):
    url: str
    deployer: Login
    analyst_role: str = "Analyst"  # sees the dashboards; "{project}" in it stands for the project's name


class Dagster(Spec):
    url: str


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
    longest_outage_hours: int = Field(default=24, ge=1, le=8760)  # of any of them, after which nothing may be lost

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
    if not path.exists():
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
