"""``pitfalls drill list``: the faults that can be planted, and past drills."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from monitoring.config import load_config
from monitoring.documents.drill import drill_document
from monitoring.drills.faults.catalogue import FAULTS
from monitoring.store.store import Store
from pitfalls_tf.cli.monitor.options import config_option
from pitfalls_tf.cli.output import one_line, with_output

if TYPE_CHECKING:
    from pathlib import Path

    from monitoring.drills.faults.fault import Fault
    from monitoring.records import DrillRecord
    from pitfalls_tf.cli.output import Output


@click.command()
@config_option
@with_output
def command(config_path: Path, *, output: Output) -> int:
    """List the faults that can be planted, and past drills.

    Of each fault what it does and at which level the monitor should tell; of each drill of the deployment how many
    faults were detected, the newest first. Runs nothing.
    """
    config = load_config(config_path)
    with Store.open(config.store.url) as store:
        drills = store.drills.latest(config.name)
    document = {
        "faults": [_document(fault) for fault in FAULTS],
        "drills": [drill_document(drill).plain() for drill in drills],
    }
    lines = [*(_fault_line(fault) for fault in FAULTS), "", *(_drill_line(drill) for drill in drills)]
    if not drills:
        lines.append(f"No drill was run yet: pitfalls drill run --config {config_path}")
    output.finish(document, lambda: click.echo("\n".join(map(one_line, lines))))
    return 0


def _document(fault: Fault) -> dict[str, object]:
    return {name: getattr(fault, name) for name in ("name", "title", "what", "touches", "level", "needs")}


def _fault_line(fault: Fault) -> str:
    return f"{fault.name:16} {fault.level:7} {fault.what}; needs {fault.needs}"


def _drill_line(drill: DrillRecord) -> str:
    when = f"#{drill.number}  {drill.at:%Y-%m-%d %H:%M} UTC  {drill.by}"
    return f"{when}  version {drill.version}, release {drill.release}  {drill.sentence}"
