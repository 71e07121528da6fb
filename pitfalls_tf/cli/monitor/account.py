"""``pitfalls monitor account``: a period's account, which an outsider checks without this package."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from monitoring.atomic import write_bytes
from monitoring.config import load_config
from monitoring.errors import BadInput
from monitoring.inspection.account import CHECKER, account
from monitoring.store.store import Store
from pitfalls_tf.cli.monitor.options import config_option
from pitfalls_tf.cli.output import with_output

if TYPE_CHECKING:
    from pitfalls_tf.cli.output import Output

_TIME = "YYYY-MM-DD[THH:MM]"
_DAY = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"])


@click.command()
@click.option("--from", "first", required=True, type=_DAY, metavar=_TIME, help="When the period begins.")
@click.option("--to", "last", required=True, type=_DAY, metavar=_TIME, help="When it ends; not part of it.")
@click.option(
    "--out", required=True, metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="A .zip file."
)
@click.option(
    "--checker",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the checker, a file of plain Python.",
)
@config_option
@with_output
def command(
    config_path: Path, *, first: datetime, last: datetime, out: Path, checker: Path | None, output: Output
) -> int:
    """Write an account of a period that an outsider can check.

    Plan, windows, incidents, labels, drills and rollouts in a chain of hashes; no row and no id. Evaluates nothing.
    """
    for path in (out, *([checker] if checker else [])):
        if not path.absolute().parent.is_dir():
            raise BadInput(
                "The folder is not there.", got=str(path), expected="a file in a folder", fix="Make the folder first."
            )
    config = load_config(config_path)
    start, end = (each.replace(tzinfo=ZoneInfo(config.windows.timezone)) for each in (first, last))
    if start >= end:
        raise BadInput(
            "The period is empty.", got=f"--from {first} --to {last}", expected="--from before --to", fix="Swap them."
        )
    with Store.open(config.store.url, make=False) as store:
        found = account(config, store, start=start, end=end, now=datetime.now(UTC))
    size = found.write(out)
    if found.header["not_recounted"]:
        output.progress(f"Nobody can count this account anew: {found.header['not_recounted']}.", level="warning")
    if checker:
        write_bytes(checker, CHECKER.read_bytes())
    document = {"file": str(out), "bytes": size, "head": found.head, "records": found.header["records"]}

    def show() -> None:
        counts = found.header["records"]
        held = ", ".join(f"{counts[name]} {name}" for name in ("windows", "incidents", "drills"))
        click.echo(f"{held} in {out}, {size:,} bytes")
        click.echo(f"head {found.head}: keep it where nobody who runs the monitor can change it, or sign the file.")

    output.finish(document, show)
    return 0
