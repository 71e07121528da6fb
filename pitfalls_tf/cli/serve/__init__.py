"""``pitfalls serve``: a model server with TensorFlow Serving's HTTP and gRPC APIs that logs every prediction.

Each group of flags has its own file: ``server_flags``, ``access_flags``, ``traffic_flags``, ``limit_flags``,
``tensorflow_serving_flags`` and ``unsupported_flags``. ``server_settings`` combines them into the server's settings.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from pitfalls_tf.cli.frameworks import load_frameworks
from pitfalls_tf.cli.output import with_output
from pitfalls_tf.cli.serve.access_flags import AccessFlags, access_flags
from pitfalls_tf.cli.serve.exposure import exposure_lines
from pitfalls_tf.cli.serve.limit_flags import LimitFlags, limit_flags
from pitfalls_tf.cli.serve.server_flags import ServerFlags, server_flags
from pitfalls_tf.cli.serve.server_settings import (
    read_addresses,
    read_limits,
    read_model_repository,
    verifies_clients,
)
from pitfalls_tf.cli.serve.session_settings import worker_count
from pitfalls_tf.cli.serve.tensorflow_serving_flags import (
    TensorFlowServingFlags,
    tensorflow_serving_flags,
    version_flag,
)
from pitfalls_tf.cli.serve.traffic_flags import TrafficFlags, traffic_flags
from pitfalls_tf.cli.serve.unsupported_flags import check_unsupported, unsupported_flags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pitfalls_tf.cli.output import Output
    from serving.server.settings import ServerInfo

__all__ = ["command"]

# oneDNN's own memory pool never returns what a version used: after unloading four versions of 64 MB the process stayed
# at 1,023 MB; with the system's allocator it went from 1,017 back to 761 MB.
SYSTEM_ALLOCATOR = ("TF_ONEDNN_USE_SYSTEM_ALLOCATOR", "1")


@click.command()
@server_flags
@access_flags
@traffic_flags
@limit_flags
@tensorflow_serving_flags
@unsupported_flags
@version_flag
@with_output
def command(
    server: ServerFlags,
    access: AccessFlags,
    traffic: TrafficFlags,
    limits: LimitFlags,
    tensorflow_serving: TensorFlowServingFlags,
    *,
    unsupported: Mapping[str, str],
    output: Output,
) -> int:
    """Serve models with TensorFlow Serving's HTTP and gRPC APIs, and log every prediction before it is sent.

    Accepts TensorFlow Serving's flags under their own names. On SIGTERM or Ctrl-C it answers all accepted requests and
    stops; a second signal stops it at once. POST /monitor/labels accepts labels from clients with a token of
    --token-file, or the one of the variable PITFALLS_TOKEN.
    """
    from serving.server.server import serve  # noqa: PLC0415 - not needed for --help
    from serving.server.settings import ServeSettings  # noqa: PLC0415 - as above

    workers = worker_count(server)
    verified = verifies_clients(tensorflow_serving)
    for line in exposure_lines(server.host, access, tensorflow_serving.ssl_config_file, verified=verified):
        output.progress(line, level="warning")
    for line in check_unsupported(unsupported):
        output.progress(line)
    address, grpc = read_addresses(server, tensorflow_serving, limits, output.progress)
    repository = read_model_repository(server, tensorflow_serving, access, output.progress)
    settings = ServeSettings(
        repository=repository,
        address=address,
        grpc=grpc,
        traffic=traffic.settings(),
        tls=access.tls(tensorflow_serving.ssl_config_file),
        access=access.settings(repository.source, verifies_clients=verified),
        limits=replace(
            read_limits(server, tensorflow_serving, limits, output.progress), event_times=traffic.event_times()
        ),
    )

    def ready(info: ServerInfo) -> None:
        document = {
            "url": info.url,
            "grpc": info.grpc,
            "models": {name: list(versions) for name, versions in info.models.items()},
            "traffic": None if traffic.traffic is None else str(traffic.traffic),
            "pid": info.pid,
        }
        output.finish(document, lambda: click.echo(f"Serving {_models(info)} on {_addresses(info)}"))

    def prepare() -> None:
        os.environ.setdefault(*SYSTEM_ALLOCATOR)
        load_frameworks("tensorflow")

    if workers == 1:
        serve(settings, on_ready=ready, report=output.progress, prepare=prepare)
    else:
        from serving.workers.workers import serve_workers  # noqa: PLC0415 - as above

        serve_workers(settings, workers, on_ready=ready, report=output.progress, prepare=prepare)
    return 0


def _models(info: ServerInfo) -> str:
    named = [f"{name}/{found[0]}" if found else f"{name} (not available)" for name, found in info.models.items()]
    return ", ".join(named) or "no model yet"


def _addresses(info: ServerInfo) -> str:
    grpc = None if info.grpc is None else f"gRPC on {info.grpc}"
    return ", ".join(address for address in (info.url, grpc) if address is not None)
