"""Dagster's code server, which ends where the server behind it has ended: the supervisor then starts both anew. Its own goes on without."""

import os
import sys
from threading import Event
from typing import NoReturn

from dagster._cli import main
from dagster._core.errors import DagsterUserCodeProcessError, DagsterUserCodeUnreachableError
from dagster._core.remote_origin import ManagedGrpcPythonEnvCodeLocationOrigin
from dagster._core.remote_representation.grpc_server_registry import GrpcServerEndpoint, GrpcServerRegistry
from dagster._grpc import client as grpc

_MISSED = 5  # heartbeats in turn, one a second; one that hangs is missed after a minute
_start = GrpcServerRegistry.reload_grpc_endpoint


def start(self: GrpcServerRegistry, code_location_origin: ManagedGrpcPythonEnvCodeLocationOrigin) -> GrpcServerEndpoint:
    """Dagster's start of a server behind. One that cannot load the project's definitions starts all the same, and says why."""
    try:
        return _start(self, code_location_origin)
    except DagsterUserCodeProcessError as error:
        _end("did not start", error)


def beat(client: grpc.DagsterGrpcClient, shutdown_event: Event) -> None:
    """Dagster's heartbeat of the server behind. What that still runs when it no longer answers runs to its end."""
    missed = 0
    while not shutdown_event.wait(grpc.CLIENT_HEARTBEAT_INTERVAL):
        try:
            client.heartbeat("ping")
            missed = 0
        except DagsterUserCodeUnreachableError as error:
            missed += 1
            if missed == _MISSED:
                _end("does not answer", error)


def _end(reason: str, error: Exception) -> NoReturn:
    print(f"the server behind {reason}, so this ends, to be started anew: {error}", file=sys.stderr, flush=True)
    os._exit(1)


if __name__ == "__main__":
    GrpcServerRegistry.reload_grpc_endpoint = start
    grpc.client_heartbeat_thread = beat  # taken from there for each server behind, of which a reload starts another
    main()
