"""``pitfalls serve``: answer prediction requests as TensorFlow Serving does, over HTTP and gRPC; log every answer.

Its flags are in files of their own, one for each concern: ``own_flags`` and ``traffic_flags``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pitfalls_tf.cli.frameworks import load_frameworks
from pitfalls_tf.cli.output import answers
from pitfalls_tf.cli.serve.own_flags import OwnFlags, own_flags, read_version_labels
from pitfalls_tf.cli.serve.traffic_flags import TrafficFlags, traffic_flags
from pitfalls_tf.cli.token import read_token

if TYPE_CHECKING:
    from pitfalls_tf.cli.output import Output
    from serving.server import GrpcDoor, Ready

__all__ = ["command"]

GRPC_PORT = 8500


@click.command()
@own_flags
@traffic_flags
@answers
def command(own: OwnFlags, traffic: TrafficFlags, output: Output) -> int:
    """Answer requests as TensorFlow Serving does, over HTTP and gRPC, and log every answer before it leaves.

    Stops on SIGTERM or Ctrl-C when everything accepted has been answered; a second signal stops at once. Labels are
    taken at POST /monitor/labels from whoever shows the token of --token-file or of the variable PITFALLS_TOKEN.
    """
    from serving.address import Address  # noqa: PLC0415 - help must not wait for a server's libraries
    from serving.server import ServeSettings, Shelf, serve  # noqa: PLC0415 - as above

    settings = ServeSettings(
        shelf=Shelf(folder=own.models, labels=read_version_labels(own.labels), poll_s=own.poll_seconds),
        address=Address(host=own.host, port=own.rest_port),
        grpc=grpc_door(own.host, own.grpc_port),
        traffic=traffic.settings(),
        token=read_token(traffic.token_file),
    )

    def ready(server: Ready) -> None:
        document = {
            "url": server.url,
            "grpc": server.grpc,
            "models": {name: list(versions) for name, versions in server.models.items()},
            "traffic": None if traffic.traffic is None else str(traffic.traffic),
            "pid": server.pid,
        }
        where = server.url if server.grpc is None else f"{server.url}, gRPC on {server.grpc}"
        output.finish(document, lambda: click.echo(f"Serving {_listed(server)} on {where}"))

    serve(settings, on_ready=ready, report=output.progress, prepare=lambda: load_frameworks("tensorflow"))
    return 0


def grpc_door(host: str, port: int | str | None) -> GrpcDoor | None:
    """Where gRPC clients come in; None if they do not.

    Not asked for, TensorFlow Serving's port is taken where it is free: its clients find the server, and a second server
    on the machine starts all the same.
    """
    from serving.address import Address  # noqa: PLC0415 - as above
    from serving.server import GrpcDoor  # noqa: PLC0415 - as above

    if isinstance(port, str):
        return None
    number = GRPC_PORT if port is None else port
    return GrpcDoor(address=Address(host=host, port=number, flag="--grpc-port"), needed=port is not None)


def _listed(server: Ready) -> str:
    return ", ".join(
        f"{name}/{versions[0]}" if versions else f"{name} (broken)" for name, versions in server.models.items()
    )
