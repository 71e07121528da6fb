"""``pitfalls serve``: answer prediction requests as TensorFlow Serving does, over HTTP and gRPC; log every answer.

Its flags are in files of their own, one for each concern: ``own_flags``, ``traffic_flags``, ``limit_flags``,
``tensorflow_serving_flags`` and ``unused_flags``. ``combination`` makes settings of them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from pitfalls_tf.cli.frameworks import load_frameworks
from pitfalls_tf.cli.output import with_output
from pitfalls_tf.cli.serve.combination import read_addresses, read_limits, read_model_repository
from pitfalls_tf.cli.serve.limit_flags import LimitFlags, limit_flags
from pitfalls_tf.cli.serve.own_flags import OwnFlags, own_flags
from pitfalls_tf.cli.serve.tensorflow_serving_flags import TensorFlowServingFlags, tensorflow_serving_flags
from pitfalls_tf.cli.serve.traffic_flags import TrafficFlags, traffic_flags
from pitfalls_tf.cli.serve.unused_flags import unused_flags, without_effect
from pitfalls_tf.cli.token import read_token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pitfalls_tf.cli.output import Output
    from serving.server.settings import ServerInfo

__all__ = ["command"]

# oneDNN's own pool keeps for ever what a version held: with four versions of 64 MB let go the process stayed at
# 1,023 MB, with the system's allocator it came back from 1,017 to 761.
SYSTEM_ALLOCATOR = ("TF_ONEDNN_USE_SYSTEM_ALLOCATOR", "1")


@click.command()
@own_flags
@traffic_flags
@limit_flags
@tensorflow_serving_flags
@unused_flags
@with_output
def command(
    own: OwnFlags,
    traffic: TrafficFlags,
    limits: LimitFlags,
    tensorflow_serving: TensorFlowServingFlags,
    *,
    unused: Mapping[str, str],
    output: Output,
) -> int:
    """Serve models with TensorFlow Serving's HTTP and gRPC APIs, and log every prediction before it is sent.

    Takes TensorFlow Serving's flags under their own names. Stops on SIGTERM or Ctrl-C when everything accepted has been
    answered; a second signal stops at once. Labels are taken at POST /monitor/labels from whoever shows the token of
    --token-file or of the variable PITFALLS_TOKEN.
    """
    from serving.server.server import serve  # noqa: PLC0415 - help must not wait for a server's libraries
    from serving.server.settings import ServeSettings  # noqa: PLC0415 - as above

    for line in without_effect(unused):
        output.progress(line)
    address, grpc = read_addresses(own, tensorflow_serving, limits)
    settings = ServeSettings(
        repository=read_model_repository(own, tensorflow_serving, output.progress),
        address=address,
        grpc=grpc,
        traffic=traffic.settings(),
        token=read_token(traffic.token_file),
        limits=read_limits(tensorflow_serving, limits, output.progress),
    )

    def ready(server: ServerInfo) -> None:
        document = {
            "url": server.url,
            "grpc": server.grpc,
            "models": {name: list(versions) for name, versions in server.models.items()},
            "traffic": None if traffic.traffic is None else str(traffic.traffic),
            "pid": server.pid,
        }
        output.finish(document, lambda: click.echo(f"Serving {_listed(server)} on {_doors(server)}"))

    def prepare() -> None:
        os.environ.setdefault(*SYSTEM_ALLOCATOR)
        load_frameworks("tensorflow")

    if own.workers == 1:
        serve(settings, on_ready=ready, report=output.progress, prepare=prepare)
    else:
        from serving.workers.workers import serve_workers  # noqa: PLC0415 - as above

        serve_workers(settings, own.workers, on_ready=ready, report=output.progress, prepare=prepare)
    return 0


def _listed(server: ServerInfo) -> str:
    named = [f"{name}/{versions[0]}" if versions else f"{name} (broken)" for name, versions in server.models.items()]
    return ", ".join(named) or "no model yet"


def _doors(server: ServerInfo) -> str:
    grpc = None if server.grpc is None else f"gRPC on {server.grpc}"
    return ", ".join(door for door in (server.url, grpc) if door is not None)
