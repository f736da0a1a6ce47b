"""The generated configuration: loopback only, and nothing shared between two platforms."""

import re
from pathlib import Path

import pytest
import yaml

from infra import configuration, endpoints
from infra.platform import PORTS, Platform
from project.environment import read_environment

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted(path.name for path in configuration.TEMPLATES.iterdir())


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return Platform(ROOT, tmp_path / "state", 20000)


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_address_is_loopback(platform: Platform, template: str) -> None:
    text = configuration.render(platform, template)
    assert set(re.findall(r"\b\d{1,3}(?:\.\d{1,3}){3}\b", text)) <= {"127.0.0.1"}
    assert "localhost" not in text
    assert "0.0.0.0" not in text


@pytest.mark.parametrize("template", TEMPLATES)
def test_two_platforms_share_no_port_and_no_folder(platform: Platform, template: str, tmp_path: Path) -> None:
    text = configuration.render(Platform(ROOT, tmp_path / "other", 30000), template)
    assert str(platform.state) not in text
    assert not [port for port in PORTS.values() if str(20000 + port) in text]


def test_flink_reads_real_yaml_with_every_port_fixed(platform: Platform) -> None:
    settings = yaml.safe_load(configuration.render(platform, "flink.yaml"))
    assert settings["rest"]["port"] == 20081
    assert settings["taskmanager"]["data.port"] == 20064
    assert settings["execution.checkpointing"]["dir"] == f"file://{platform.data}/flink/checkpoints"


def test_the_environment_file_is_what_the_other_rooms_read(platform: Platform) -> None:
    endpoints.write_environment(platform)
    environment = read_environment(platform.environment_file)
    assert environment.source("any").port == 20032
    assert environment.analytics.writer.user == "headrace_writer"
    assert environment.flink.gateway_url == "http://127.0.0.1:20085"
    assert platform.environment_file.stat().st_mode & 0o777 == 0o600


def test_a_long_path_gets_a_socket_that_the_system_accepts(tmp_path: Path) -> None:
    deep = Platform(ROOT, tmp_path / ("deep" * 30))
    assert len(str(deep.socket)) < 104
    assert deep.socket != Platform(ROOT, tmp_path / ("also" * 30)).socket
