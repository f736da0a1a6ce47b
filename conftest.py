"""The bookstore, and an environment that exists nowhere: enough to compile. Tests on real systems have their own."""

from pathlib import Path

import pytest

from project.environment import Environment
from project.loader import load_project
from project.models import Project

LOGIN = {"user": "admin", "password": {"env": "PASSWORD"}}
ENVIRONMENT = {
    "name": "nowhere",
    "sources": {
        "default": {
            "host": "source.example",
            "admin": LOGIN,
            "capture": {**LOGIN, "user": "headrace_capture", "reference": "${file:/etc/headrace/connect.properties:capture}"},
        }
    },
    "kafka": {"bootstrap_servers": "kafka.example:9092", "replication_factor": 3},
    "connect": {"url": "http://connect.example:8083"},
    "flink": {"url": "http://flink.example:8081", "gateway_url": "http://gateway.example:8085"},
    "analytics": {
        "host": "analytics.example",
        "database": "analyticsdb",
        "admin": LOGIN,
        "writer": {**LOGIN, "user": "headrace_writer"},
        "reader": LOGIN,
    },
    "superset": {"url": "http://superset.example", "deployer": LOGIN},
    "dagster": {"url": "http://dagster.example"},
}


@pytest.fixture
def environment() -> Environment:
    return Environment.model_validate(ENVIRONMENT)


@pytest.fixture
def bookstore() -> Project:
    return load_project(Path(__file__).parent / "examples" / "bookstore")
