"""``pitfalls monitor init``: write a config for a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pitfalls_tf.cli.output import answers

if TYPE_CHECKING:
    from pitfalls_tf.cli.output import Output


@click.command()
@click.option("--bundle", required=True, type=click.Path(path_type=Path), help="MODELS/NAME, or one version's folder.")
@click.option("--traffic", required=True, type=click.Path(path_type=Path), help="Folder of the traffic log.")
@click.option("--slices", default="", metavar="A,B", help="Category inputs whose every value is watched on its own.")
@click.option("--every", default="1d", show_default=True, help="Length of a window, such as 1d, 6h or 15m.")
@click.option("--timezone", default="UTC", show_default=True, help="Whose days the windows are.")
@click.option("--out", default=Path(), type=click.Path(path_type=Path), help="Folder to write to.  [default: here]")
@click.option("--force", is_flag=True, help="Replace a config that is there.")
@answers
def command(
    bundle: Path, traffic: Path, slices: str, *, every: str, timezone: str, out: Path, force: bool, output: Output
) -> int:
    """Write a monitor.toml for a bundle.

    The file is checked as `monitor run` will check it, and the bundle's baseline is cut into windows once, before
    anything is written in its place.
    """
    from monitoring.config import ConfigDraft  # noqa: PLC0415 - help must not wait for it
    from monitoring.jobs.drafting import as_written, write_config  # noqa: PLC0415 - as above

    draft = ConfigDraft(
        bundle=as_written(bundle, out),
        traffic=as_written(traffic, out),
        slices=tuple(part.strip() for part in slices.split(",") if part.strip()),
        every=every,
        timezone=timezone,
    )
    path = write_config(draft, out, force=force)
    output.finish(
        {"config": str(path)}, lambda: click.echo(f"Wrote {path}. Next: pitfalls monitor run --config {path}")
    )
    return 0
