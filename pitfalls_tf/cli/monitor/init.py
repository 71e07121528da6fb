"""``pitfalls monitor init``: write a config for a bundle."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitoring.errors import BadInput, CannotRun
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
    path = write_config(
        bundle=bundle,
        traffic=traffic,
        slices=tuple(part.strip() for part in slices.split(",") if part.strip()),
        every=every,
        timezone=timezone,
        out=out,
        force=force,
    )
    output.finish(
        {"config": str(path)}, lambda: click.echo(f"Wrote {path}. Next: pitfalls monitor run --config {path}")
    )
    return 0


def write_config(
    *, bundle: Path, traffic: Path, slices: tuple[str, ...], every: str, timezone: str, out: Path, force: bool
) -> Path:
    """Write ``monitor.toml`` into `out`; its paths are relative to `out` where they lie below it."""
    from monitoring.config import ConfigDraft, load_config, render_config  # noqa: PLC0415 - help must not wait for it
    from monitoring.jobs.deployment import deploy  # noqa: PLC0415 - as above

    path = out / "monitor.toml"
    if path.exists() and not force:
        raise BadInput(
            "There is a config already.",
            got=str(path),
            expected="no file of that name",
            fix="Use --force to replace it.",
        )
    text = render_config(
        ConfigDraft(
            bundle=_below(bundle, out), traffic=_below(traffic, out), slices=slices, every=every, timezone=timezone
        )
    )
    aside = path.with_name(f".monitor.toml.{os.getpid()}.tmp")
    try:
        out.mkdir(parents=True, exist_ok=True)
        aside.write_text(text, encoding="utf-8")
        deploy(load_config(aside))
        aside.replace(path)
    except OSError as error:
        raise CannotRun(
            "The config cannot be written.",
            got=f"{path}: {error.strerror}",
            expected="a folder this user may write",
            fix="Give another folder with --out.",
        ) from error
    finally:
        aside.unlink(missing_ok=True)
    return path


def _below(path: Path, folder: Path) -> str:
    """Relative to the folder where it lies below it, absolute otherwise."""
    there, base = path.absolute(), folder.absolute()
    return str(there.relative_to(base)) if there.is_relative_to(base) else str(there)
