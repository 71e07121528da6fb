"""The flags of the traffic log and of the labels that come after it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pitfalls_tf.cli.serve.groups import option_group

if TYPE_CHECKING:
    from serving.traffic import TrafficSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficFlags:
    """What was given."""

    traffic: Path | None
    token_file: Path | None

    def settings(self) -> TrafficSettings | None:
        """What the server needs to know of its traffic log; None for no log."""
        from serving.traffic import TrafficSettings  # noqa: PLC0415 - help must not wait for a server's libraries

        return None if self.traffic is None else TrafficSettings(folder=self.traffic)


traffic_flags = option_group(
    "traffic",
    TrafficFlags,
    (
        click.option(
            "--traffic", type=click.Path(path_type=Path), help="Folder of the traffic log.  [default: no log]"
        ),
        click.option("--token-file", type=click.Path(path_type=Path), help="Holds the token for POST /monitor/labels."),
    ),
)
