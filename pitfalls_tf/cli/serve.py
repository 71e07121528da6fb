"""``pitfalls serve``: answer prediction requests as TensorFlow Serving does, over HTTP and gRPC; log every answer."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitoring.errors import BadInput
from pitfalls_tf.cli.frameworks import load_frameworks
from pitfalls_tf.cli.output import answers

if TYPE_CHECKING:
    from pitfalls_tf.cli.output import Output
    from serving.server import GrpcDoor, Ready


GRPC_PORT = 8500
OFF = "off"


class PortOrOff(click.ParamType[int | str]):
    """A port, or the word off."""

    name = "port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        """The port's number, or the word as it is."""
        return OFF if value == OFF else click.IntRange(0, 65535).convert(value, param, ctx)


@click.command()
@click.option("--models", required=True, type=click.Path(path_type=Path), help="Folder of NAME/VERSION folders.")
@click.option("--rest-port", default=8501, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option(
    "--grpc-port", type=PortOrOff(), metavar="N|off", help="0 takes a free one.  [default: 8500 where that is free]"
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--traffic", type=click.Path(path_type=Path), help="Folder of the traffic log.  [default: no log]")
@click.option("--token-file", type=click.Path(path_type=Path), help="Holds the token for POST /monitor/labels.")
@click.option(
    "--poll-seconds", default=1.0, show_default=True, type=click.FloatRange(0), help="Between looks; 0: once."
)
@click.option("--label", "labels", multiple=True, metavar="MODEL:LABEL=VERSION", help="Another name for a version.")
@answers
def command(
    models: Path,
    rest_port: int,
    grpc_port: int | str | None,
    host: str,
    traffic: Path | None,
    token_file: Path | None,
    *,
    poll_seconds: float,
    labels: tuple[str, ...],
    output: Output,
) -> int:
    """Answer requests as TensorFlow Serving does, over HTTP and gRPC, and log every answer before it leaves.

    Stops on SIGTERM or Ctrl-C when everything accepted has been answered; a second signal stops at once. Labels are
    taken at POST /monitor/labels from whoever shows the token of --token-file or of the variable PITFALLS_TOKEN.
    """
    from serving.address import Address  # noqa: PLC0415 - help must not wait for a server's libraries
    from serving.server import ServeSettings, Shelf, serve  # noqa: PLC0415 - as above

    settings = ServeSettings(
        shelf=Shelf(folder=models, labels=read_version_labels(labels), poll_s=poll_seconds),
        address=Address(host=host, port=rest_port),
        grpc=grpc_door(host, grpc_port),
        traffic=traffic,
        token=read_token(token_file),
    )

    def ready(server: Ready) -> None:
        document = {
            "url": server.url,
            "grpc": server.grpc,
            "models": {name: list(versions) for name, versions in server.models.items()},
            "traffic": None if traffic is None else str(traffic),
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


def read_token(file: Path | None) -> str | None:
    """The token in the file, or else in the environment; None if there is neither.

    Raises:
        BadInput: the file cannot be read, or is empty.
    """
    if file is None:
        return os.environ.get("PITFALLS_TOKEN") or None
    try:
        token = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _bad_token_file(file, str(error)) from error
    if not token:
        raise _bad_token_file(file, "it is empty")
    return token


def read_version_labels(pairs: tuple[str, ...]) -> dict[str, dict[str, int]]:
    """Version labels by model.

    >>> read_version_labels(("flights:stable=3", "flights:canary=4"))
    {'flights': {'stable': 3, 'canary': 4}}

    Raises:
        BadInput: a pair that is not written MODEL:LABEL=VERSION.
    """
    labels: dict[str, dict[str, int]] = {}
    for pair in pairs:
        model, _, rest = pair.partition(":")
        label, _, number = rest.partition("=")
        if not model or not label or not (number.isascii() and number.isdecimal()):
            raise BadInput(
                "This is no version label.",
                got=pair,
                expected="MODEL:LABEL=VERSION",
                fix="For example --label flights:stable=3",
            )
        labels.setdefault(model, {})[label] = int(number)
    return labels


def _listed(server: Ready) -> str:
    return ", ".join(
        f"{name}/{versions[0]}" if versions else f"{name} (broken)" for name, versions in server.models.items()
    )


def _bad_token_file(file: Path, reason: str) -> BadInput:
    return BadInput(
        "The token file cannot be used.",
        got=f"{file}: {reason}",
        expected="a file with the token on one line",
        fix="Write one, for example: openssl rand -hex 16 > token",
    )
