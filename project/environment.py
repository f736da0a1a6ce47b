"""Where a project is applied: the endpoints of one environment and references to their secrets.

The embedded platform writes such a file for itself; for existing clusters a person writes it. Secret values never stand
in the file: each is a reference to an environment variable or to a file that only its owner can read.
"""

import os
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator


class EndpointError(Exception):
    """The environment file cannot be used; the text says where and what to do."""


class _Endpoint(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Secret(_Endpoint):
    """A reference to a secret: exactly one of an environment variable or a file with mode 0600."""

    env: str | None = None
    file: Path | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> "Secret":
        if (self.env is None) == (self.file is None):
            raise ValueError("name exactly one of env or file")
        return self

    def reveal(self) -> str:
        """The value itself, read at the moment of use."""
        if self.file is not None:
            return self.file.read_text().strip()
        assert self.env is not None
        if self.env not in os.environ:
            raise EndpointError(f"environment variable {self.env} is not set; the environment file refers to it")
        return os.environ[self.env]


class Login(_Endpoint):
    user: str
    password: Secret
    # How the system that logs in finds the same password, e.g. Connect's "${file:/etc/headrace/connect.properties:capture}".
    reference: str | None = None


class Database(_Endpoint):
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


class Kafka(_Endpoint):
    bootstrap_servers: str
    replication_factor: int = 1


class Connect(_Endpoint):
    url: str


class Flink(_Endpoint):
    url: str  # the JobManager's REST and web address
    gateway_url: str


class Superset(_Endpoint):
    url: str
    deployer: Login
    analyst_role: str = "Analyst"


class Dagster(_Endpoint):
    url: str


class Environment(_Endpoint):
    """All endpoints a project is applied to. `sources` is keyed by source name; "default" serves the others."""

    name: str
    sources: dict[str, SourceDatabase] = Field(default_factory=dict)
    kafka: Kafka
    connect: Connect
    flink: Flink
    analytics: AnalyticsDatabase
    superset: Superset
    dagster: Dagster

    def source(self, name: str) -> SourceDatabase:
        """The database behind a source of the project."""
        found = self.sources.get(name) or self.sources.get("default")
        if found is None:
            raise EndpointError(
                f"environment {self.name!r} has no endpoint for source {name!r}; add sources.{name} or sources.default"
            )
        return found


def read_environment(path: Path) -> Environment:
    """Read an environment file; raises EndpointError with every problem in it."""
    try:
        return Environment.model_validate(yaml.safe_load(path.read_text()))
    except FileNotFoundError:
        raise EndpointError(f"{path}: there is no such environment file; run `make up` or name one with --environment") from None
    except (yaml.YAMLError, ValidationError) as error:
        raise EndpointError(f"{path}: {error}") from error
