"""A Kafka that speaks TLS alone and asks who is there, with a Kafka Connect and a Flink that are let in, as existing clusters are."""

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from e2e.process import Process
from e2e.waiting import until
from infra import configuration, programs, readiness
from infra.credentials import write_private
from infra.platform import HOST, Platform
from infra.start import format_kafka
from project.environment import Kafka, read_environment

_OFFSET = 400  # of its ports from the platform's
_USER, _MECHANISM = "headrace", "SCRAM-SHA-512"
_MODULE = "org.apache.kafka.common.security.scram.ScramLoginModule"
_IN_FLINK = f"org.apache.flink.kafka.shaded.{_MODULE}"  # its connector brings the client along under another name
_BEHIND = ("connect", "flink-jobmanager", "flink-taskmanager", "flink-gateway")  # Kafka
_START = 300  # seconds


@contextmanager
def secured(platform: Platform, folder: Path) -> Iterator[Path]:
    """The file of an environment that is a platform's but for Kafka, Kafka Connect and Flink."""
    own = Platform(platform.root, folder, platform.port_base + _OFFSET)
    for place in (own.data, own.logs, own.scratch, own.secrets):
        place.mkdir(parents=True)
    password, certificate = secrets.token_urlsafe(24), _certificate(own.secrets)
    write_private(own.secrets / "kafka", password)
    _configure(own, platform, certificate, password)
    file = _environment(own, platform, certificate)
    running = [_started(own, platform, "kafka")]
    try:
        until(lambda: _lets_in(read_environment(file).kafka), _START, "Kafka lets a client in")
        running += [_started(own, platform, name) for name in _BEHIND]
        for name in _BEHIND:
            until(lambda name=name: readiness.is_ready(own, name), _START, f"{name} answers")
        yield file
    finally:
        for one in running:  # they would wait for one another, and nobody needs what they leave
            one.kill()


def _lets_in(kafka: Kafka) -> bool:
    try:
        return bool(AdminClient(kafka.client()).list_topics(timeout=5).brokers)
    except KafkaException:
        return False


def _certificate(folder: Path) -> Path:
    """Signed by itself, so that it is the brokers' and its own authority."""
    key, certificate = folder / "broker.key", folder / "broker.pem"
    command = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", certificate)
    subprocess.run([*command, "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=IP:{HOST}"], check=True, capture_output=True)
    write_private(folder / "keystore.pem", key.read_text() + certificate.read_text())
    return certificate


def _configure(own: Platform, platform: Platform, certificate: Path, password: str) -> None:
    """The platform's files, and what is other here behind it: the last line of a key counts."""
    configuration.write_all(own, ())
    known = f'{_MODULE} required username="{_USER}" password="{password}";'
    trusted = f"ssl.truststore.type=PEM\nssl.truststore.location={certificate}\n"
    client = f"security.protocol=SASL_SSL\nsasl.mechanism={_MECHANISM}\nsasl.jaas.config={known}\n{trusted}"
    more = {
        "kafka.properties": (
            f"listeners=SASL_SSL://{own.address('kafka')},CONTROLLER://{own.address('kafka controller')}\n"
            f"advertised.listeners=SASL_SSL://{own.address('kafka')}\n"
            "listener.security.protocol.map=SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT\ninter.broker.listener.name=SASL_SSL\n"
            f"sasl.enabled.mechanisms={_MECHANISM}\nsasl.mechanism.inter.broker.protocol={_MECHANISM}\n"
            f"listener.name.sasl_ssl.{_MECHANISM.lower()}.sasl.jaas.config={known}\n{trusted}"
            f"ssl.keystore.type=PEM\nssl.keystore.location={own.secrets / 'keystore.pem'}\n"
        ),
        "connect.properties": "".join(f"{who}{line}\n" for who in ("", "producer.", "consumer.", "admin.") for line in client.splitlines())
        + f"config.providers.file.param.allowed.paths={platform.secrets / 'connect.properties'}\n",
    }
    for name, lines in more.items():
        with configuration.path(own, name).open("a") as file:
            file.write(f"\n{lines}")
    write_private(own.secrets / "jaas.conf", f"KafkaClient {{\n  {known.replace(_MODULE, _IN_FLINK)}\n}};\n")
    format_kafka(own, "--add-scram", f"{_MECHANISM}=[name={_USER},password={password}]")


def _started(own: Platform, platform: Platform, name: str) -> Process:
    [program] = [one for one in programs.all_programs(own, ()) if one.name == name]
    found = {"PGPASSFILE": str(platform.secrets / "pgpass")}
    if name.startswith("flink"):
        found["JAVA_TOOL_OPTIONS"] = f"-Djava.security.auth.login.config={own.secrets / 'jaas.conf'}"
    return Process(platform, f"secured-{name}", program.command, program.environment | found)


def _environment(own: Platform, platform: Platform, certificate: Path) -> Path:
    document = yaml.safe_load(platform.environment_file.read_text())
    login = {"user": _USER, "password": {"file": str(own.secrets / "kafka")}}
    document["kafka"] = {
        "bootstrap_servers": own.address("kafka"), "tls": True, "authority": str(certificate), "mechanism": _MECHANISM, "login": login,
    }  # fmt: skip
    document["connect"] = {"url": own.url("connect")}
    document["flink"] = {"url": own.url("flink"), "gateway_url": own.url("gateway"), "kafka_authority": str(certificate)}
    file = own.state / "environment.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    return file
