"""The server's own flags: models, addresses, polling, workers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from monitoring.errors import BadInput
from monitoring.traffic.remote.urls import is_url
from pitfalls_tf.cli.serve.option_groups import option_group
from serving.confinement.confinement import ConfineMode

OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFlags:
    """Values of the flags; None if not given."""

    models: Path | str | None
    model_files: tuple[Path, ...]
    custom: str | None
    rest_port: int | None
    grpc_port: int | str | None
    host: str
    allowed_hosts: tuple[str, ...]
    wait_for_models: bool
    poll_seconds: float | None
    model_cache: Path | None
    model_cache_gb: float
    url_poll_seconds: float
    labels: tuple[str, ...]
    split_file: Path | None
    rollouts: str | None
    zero_is_newest: bool
    workers: int
    gpus: str
    confine: str

    def confine_mode(self) -> ConfineMode:
        """Whether the server confines itself."""
        return ConfineMode(self.confine)


class PortOrOff(click.ParamType[int | str]):
    """Parameter type: a port, or `off`."""

    name = "port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        """Parse the port number, or `off`."""
        return OFF if value == OFF else click.IntRange(0, 65535).convert(value, param, ctx)


class FolderOrUrl(click.ParamType[Path | str]):
    """Parameter type: a folder of this machine, or a URL; ``file://`` is a folder."""

    name = "folder or URL"

    def __init__(self, *, exists: bool = False) -> None:
        self._folder = click.Path(path_type=Path, file_okay=False, exists=exists)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path | str:
        """A path, or the text of a URL."""
        if isinstance(value, Path):
            return value
        text = str(value).removeprefix("file://")
        if is_url(text):
            return text
        return Path(self._folder.convert(text, param, ctx))


server_flags = option_group(
    "server",
    ServerFlags,
    (
        click.option(
            "--models", type=FolderOrUrl(), metavar="DIR|URL", help="Folder of NAME/VERSION folders, here or at a URL."
        ),
        click.option(
            "--model",
            "model_files",
            type=click.Path(path_type=Path),
            metavar="FILE",
            multiple=True,
            help="A .keras file, exported into a cache and compared with Keras; or a SavedModel's folder.",
        ),
        click.option("--custom", metavar="MODULE", help="Module of the custom layers of --model."),
        click.option("--rest-port", type=click.IntRange(0, 65535), help="0 selects a free port.  [default: 8501]"),
        click.option(
            "--grpc-port",
            type=PortOrOff(),
            metavar="N|off",
            help="0 selects a free port.  [default: 8500 if it is free]",
        ),
        click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on."),
        click.option(
            "--allowed-host",
            "allowed_hosts",
            multiple=True,
            metavar="NAME",
            help="Answer HTTP requests to this name, too.  [default: on 127.0.0.1 localhost and addresses, else any]",
        ),
        click.option(
            "--wait-for-models/--no-wait-for-models",
            default=True,
            show_default=True,
            help="Start without a model, and serve those that come later.",
        ),
        click.option(
            "--poll-seconds",
            type=click.FloatRange(0),
            help="Interval of checks for new versions; 0: only at start.  [default: 1]",
        ),
        click.option(
            "--model-cache",
            type=click.Path(path_type=Path, file_okay=False),
            help="Where models at URLs are copied to.  [default: ~/.cache/pitfalls/models]",
        ),
        click.option(
            "--model-cache-gb",
            type=click.FloatRange(0, min_open=True),
            default=20.0,
            show_default=True,
            help="Limit of these copies in gigabytes (1e9 bytes).",
        ),
        click.option(
            "--url-poll-seconds",
            type=click.FloatRange(0),
            default=30.0,
            show_default=True,
            help="Shortest interval between two listings of a model's URL.",
        ),
        click.option(
            "--confine",
            type=click.Choice(["auto", "required", "off"]),
            default="auto",
            show_default=True,
            help="Keep the process that runs graphs, by the kernel, from files, connections and programs that it does "
            "not need: as far as the kernel can and where there is no GPU, or end where it cannot.",
        ),
        click.option("--label", "labels", multiple=True, metavar="MODEL:LABEL=VERSION", help="Version label."),
        click.option(
            "--split-file",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="Split requests between two versions as the rollout says that writes this file.",
        ),
        click.option(
            "--rollouts",
            metavar="DIR_OR_GLOB",
            help="Work on the rollouts of these configs that go on, as `pitfalls rollout work` does.",
        ),
        click.option(
            "--zero-is-newest/--no-zero-is-newest",
            default=True,
            show_default=True,
            help="Version 0 means the newest if there is no version 0.",
        ),
        click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 256), help="Server processes."),
        click.option(
            "--gpus", default="", metavar="0,1", help="GPUs to answer on, a process for each.  [default: as found]"
        ),
    ),
)


def read_version_labels(pairs: tuple[str, ...]) -> dict[str, dict[str, int]]:
    """Parse version labels.

    >>> read_version_labels(("flights:stable=3", "flights:canary=4"))
    {'flights': {'stable': 3, 'canary': 4}}

    Raises:
        BadInput: a pair that is not MODEL:LABEL=VERSION.
    """
    labels: dict[str, dict[str, int]] = {}
    for pair in pairs:
        model, _, rest = pair.partition(":")
        label, _, number = rest.partition("=")
        if not model or not label or not (number.isascii() and number.isdecimal()):
            raise BadInput(
                "Invalid version label.",
                got=pair,
                expected="MODEL:LABEL=VERSION",
                fix="For example --label flights:stable=3",
            )
        labels.setdefault(model, {})[label] = int(number)
    return labels
