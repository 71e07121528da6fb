"""``pitfalls replay``: send a table's rows to a server in event-time order."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitoring.errors import BadInput
from monitoring.onboarding.table_description import described
from pitfalls_tf.cli.output import with_output
from pitfalls_tf.replay import ReplayOptions, ReplayPlan, replay
from pitfalls_tf.replay.driver import NOTHING_LOGGED, already_logged
from pitfalls_tf.replay.plan import zone_remark
from pitfalls_tf.replay.tables import read_table

if TYPE_CHECKING:
    from pitfalls_tf.cli.output import Output
    from pitfalls_tf.replay import ReplayProgress


def read_token(file: Path | None) -> str | None:
    """Read the token.

    Args:
        file: file that begins with the token, such as the server's own; None for the variable PITFALLS_TOKEN.

    Returns:
        The token; None if there is neither.

    Raises:
        BadInput: the file cannot be read, or is empty.
    """
    if file is None:
        return os.environ.get("PITFALLS_TOKEN") or None
    return _lines(file)[0][0]


def _lines(file: Path) -> list[list[str]]:
    """The words of each line that has some, one line at least."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _bad_token_file(file, str(error)) from error
    lines = [words for line in text.splitlines() if (words := line.partition("#")[0].split())]
    if not lines:
        raise _bad_token_file(file, "it is empty")
    return lines


def _bad_token_file(file: Path, reason: str) -> BadInput:
    return BadInput(
        "The token file cannot be used.",
        got=f"{file}: {reason}",
        expected="a file with the token on one line",
        fix="Create one, for example: openssl rand -hex 16 > token",
    )


@click.command()
@click.argument("table", type=click.Path(path_type=Path))
@click.option("--to", "url", required=True, metavar="URL", help="URL of the server, such as http://127.0.0.1:8501.")
@click.option("--model", help="Name of the model.  [default: the only one]")
@click.option(
    "--rows-per-request",
    default=256,
    show_default=True,
    type=int,
    help="Maximum rows of one request, within one clock hour.",
)
@click.option("--event-time", default="event_time", show_default=True, metavar="COLUMN", help="Time of the prediction.")
@click.option(
    "--label", metavar="COLUMN", help="Label; or A,B,C; or OUTPUT=COLUMN,... for several outputs, as of export."
)
@click.option("--label-time", metavar="COLUMN", help="Time when the label became known.")
@click.option("--naive-timezone", default="UTC", show_default=True, metavar="ZONE", help="Time zone of times without.")
@click.option("--name", default="replay", show_default=True, metavar="PREFIX", help="Prefix of request ids.")
@click.option(
    "--traffic", type=click.Path(path_type=Path), help="The server's traffic log: skip rows and labels that are in it."
)
@click.option("--token-file", type=click.Path(path_type=Path), help="File with the server's token.")
@with_output
def command(
    table: Path,
    url: str,
    *,
    model: str | None,
    rows_per_request: int,
    label: str | None,
    name: str,
    traffic: Path | None,
    token_file: Path | None,
    output: Output,
    **columns: Any,  # names of columns, and the zone of times, by their settings
) -> int:
    """Send the rows of TABLE (Parquet or CSV) to a server in event-time order.

    With --label and --label-time, labels are posted to POST /monitor/labels in the order of their times. The server's
    token is read from --token-file or the variable PITFALLS_TOKEN. With --traffic, an interrupted replay resumes.
    """
    plan = ReplayPlan(columns=described(**columns).traffic, rows_per_request=rows_per_request, prefix=name, label=label)
    rows = read_table(table)
    already = NOTHING_LOGGED if traffic is None else already_logged(traffic)
    options = ReplayOptions(token=read_token(token_file), already=already)
    remark = zone_remark(rows, plan)
    if remark:
        output.progress(remark)
    summary = replay(rows, url=url, model=model, plan=plan, progress=_TenthPrinter(output), options=options)
    document = dataclasses.asdict(summary)
    output.finish(document, lambda: click.echo(_summary_text(document)))
    return 0


class _TenthPrinter:
    """Prints progress after every tenth of the rows."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._tenths = 0

    def __call__(self, progress: ReplayProgress) -> None:
        tenths = 10 * progress.rows // progress.total
        if tenths > self._tenths:
            self._tenths = tenths
            now = f"{progress.now:%Y-%m-%d %H:%M}"
            self._output.progress(f"{10 * tenths:3d} %  {now}  {progress.rows} rows, {progress.labels} labels")


def _summary_text(document: dict[str, float]) -> str:
    return (
        f"{document['rows']} rows in {document['requests']} requests and {document['labels']} labels sent in "
        f"{document['seconds']:.1f} s; {document['skipped_rows']} rows and {document['skipped_labels']} labels "
        "were already in the log."
    )
