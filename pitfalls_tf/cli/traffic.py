"""``pitfalls traffic``: what is in a traffic log, or its rows with their labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitoring.errors import CannotRun
from pitfalls_tf.cli.output import answers

if TYPE_CHECKING:
    from monitoring.traffic.log import TrafficLog, TrafficSummary
    from pitfalls_tf.cli.output import Output


@click.command()
@click.argument("traffic", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--to", "target", metavar="FILE", type=click.Path(path_type=Path), help="Write the rows to this Parquet file."
)
@answers
def command(traffic: Path, target: Path | None, *, output: Output) -> int:
    """Say what is in the traffic log DIR, or write its rows, joined with their labels, to a Parquet file.

    The columns of the file: prediction_id, request_id, row, event_time, model, version, signature, one for each input
    and output, label and label_time. Each prediction is there once. The log may be in use meanwhile.
    """
    from monitoring.traffic.log import TrafficLog  # noqa: PLC0415 - help must not wait for it

    log = TrafficLog(traffic)
    summary = log.summary()
    document = {"traffic": str(traffic), **described(summary)}
    if target is None:
        output.finish(document, lambda: click.echo("\n".join(lines(summary))))
        return 0
    written = write(log, target)
    document["to"] = {"file": str(target), "rows": written}
    output.finish(document, lambda: click.echo(f"Wrote {written:,} rows to {target}."))
    return 0


def write(log: TrafficLog, target: Path) -> int:
    """Writes the rows with their labels, aside and then into place; returns how many.

    Raises:
        CannotRun: the file cannot be written.
    """
    from monitoring.traffic.parquet import write_parquet  # noqa: PLC0415 - help must not wait for it

    table = log.table()
    try:
        write_parquet(target, table)
    except OSError as error:
        raise CannotRun(
            "The rows were not written.",
            got=f"{target}: {error.strerror}",
            expected="a file in a folder that exists, has room and may be written",
            fix="Give another --to.",
        ) from error
    return int(table.num_rows)


def described(summary: TrafficSummary) -> dict[str, object]:
    """The summary as a document."""
    return {
        "rows": summary.rows,
        "repeats": summary.repeats,
        "torn_bytes": summary.torn_bytes,
        "segments": summary.segments,
        "first": summary.first,
        "last": summary.last,
        "models": [
            {
                "model": each.key.model,
                "version": each.key.version,
                "signature": each.key.signature,
                "rows": each.rows,
                "first": each.first,
                "last": each.last,
            }
            for each in summary.models
        ],
        "labels": summary.labels,
    }


def lines(summary: TrafficSummary) -> list[str]:
    """The summary for a person."""
    labels = summary.labels
    text = [f"{summary.rows:,} predictions in {summary.segments:,} segment{'' if summary.segments == 1 else 's'}"]
    if summary.first is not None and summary.last is not None:
        text[0] += f", {summary.first:%Y-%m-%d %H:%M} to {summary.last:%Y-%m-%d %H:%M} UTC"
    text += [f"  {each.key.model}/{each.key.version} {each.key.signature}: {each.rows:,}" for each in summary.models]
    text.append(f"{labels.distinct:,} predictions labelled, {labels.conflicts:,} with conflicting labels")
    if summary.repeats or labels.repeats:
        text.append(f"left out: {summary.repeats:,} repeated predictions, {labels.repeats:,} repeated labels")
    if summary.torn_bytes or labels.torn_bytes:
        text.append(f"cut off: {summary.torn_bytes + labels.torn_bytes:,} bytes of appends that were interrupted")
    return text
