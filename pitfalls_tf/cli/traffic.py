"""``pitfalls traffic``: what is in a traffic log, or its rows with their labels."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitoring.atomic import replacing
from monitoring.errors import BadInput, CannotRun
from monitoring.timestamps import as_datetime
from pitfalls_tf.cli.frameworks import load_frameworks
from pitfalls_tf.cli.output import with_output

if TYPE_CHECKING:
    from monitoring.traffic.log.gaps import Gap
    from monitoring.traffic.log.log import TrafficLog
    from monitoring.traffic.log.summary import TrafficSummary
    from monitoring.traffic.tf_prediction_log.prediction_log import Transfer
    from pitfalls_tf.cli.output import Output

RECORD_SUFFIXES = (".tfrecord", ".tfrecords")


@click.command()
@click.argument("place", metavar="DIR_OR_URL")
@click.option(
    "--to",
    "target",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write the rows to this Parquet file; or, if its name ends in .tfrecord, as PredictionLog records.",
)
@click.option(
    "--from",
    "origin",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="First add the PredictionLog records of this TFRecord file to the log.",
)
@with_output
def command(place: str, target: Path | None, origin: Path | None, *, output: Output) -> int:
    """Summarise a traffic log, or export its rows with their labels to a Parquet file.

    The columns of the file: prediction_id, request_id, row, event_time, model, version, signature, one for each input
    and output, label and label_time. Each prediction is there once. The log may be in use meanwhile.
    """
    from monitoring.traffic.log.log import TrafficLog  # noqa: PLC0415 - help must not wait for it
    from monitoring.traffic.log.remote_log import log_folder  # noqa: PLC0415 - as above
    from monitoring.traffic.remote.file_store import is_url  # noqa: PLC0415 - as above

    if origin is not None and is_url(place):
        raise BadInput(
            "Rows cannot be added to a log at a URL.",
            got=f"--from {origin} to {place}",
            expected="a log on this machine",
            fix="Add them to a folder, and copy that.",
        )
    if target is not None and target.is_dir():
        raise BadInput(
            "The rows go to a file, and this is a folder.",
            got=f"--to {target}",
            expected="the name of a file, which need not be there yet",
            fix=f"Name one in it: --to {target / 'rows.parquet'}",
        )
    traffic = log_folder(place) if origin is None else Path(place)
    added = None if origin is None else add_records(traffic, origin)
    log = TrafficLog(traffic)
    summary = log.summary()
    document = {"traffic": place, **described(summary)}
    if added is not None:
        document["from"] = {"file": str(origin), "rows": added.rows, "torn_bytes": added.torn_bytes}
    if target is None:
        told = lines(summary)
    elif target.suffix in RECORD_SUFFIXES:
        moved = write_records(traffic, target)
        document["to"] = {"file": str(target), "rows": moved.rows, "records": moved.records}
        told = [f"Wrote {moved.rows:,} rows in {moved.records:,} records to {target}."]
    else:
        written = write(log, target)
        document["to"] = {"file": str(target), "rows": written}
        told = [f"Wrote {written:,} rows to {target}."]
    if added is not None and added.torn_bytes:
        told.append(f"left out: the last record of {origin}, of which {added.torn_bytes:,} bytes are there")
    output.finish(document, lambda: click.echo("\n".join(told)))
    return 0


def write(log: TrafficLog, target: Path) -> int:
    """Writes the rows with their labels, aside and then into place; returns how many.

    Raises:
        CannotRun: the file cannot be written.
    """
    from monitoring.traffic.format.parquet_file import write_parquet  # noqa: PLC0415 - help must not wait for it

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


def add_records(traffic: Path, origin: Path) -> Transfer:
    """Adds the rows of a TFRecord file to the log, which need not be there yet.

    Raises:
        BadInput: no such file, or another kind of file; the log is as it was.
        CannotRun: the log cannot be written.
    """
    from monitoring.traffic.log.writer import TrafficWriter  # noqa: PLC0415 - help must not wait for it
    from monitoring.traffic.tf_prediction_log.prediction_log import import_log  # noqa: PLC0415 - as above

    load_frameworks("tensorflow")
    writer = TrafficWriter(traffic, clock=lambda: datetime.now(UTC))
    try:
        return import_log(origin, writer.append)
    except OSError as error:
        raise CannotRun(
            "The rows were not all added; those that were are in the log.",
            got=f"{error.filename or traffic}: {error.strerror}",
            expected="a file that can be read, and a log with room",
            fix="Make room, then add the file again: rows that are there twice count once.",
        ) from error
    finally:
        writer.close()


def write_records(traffic: Path, target: Path) -> Transfer:
    """Writes the log as PredictionLog records, aside and then into place.

    Raises:
        CannotRun: the file cannot be written.
    """
    from monitoring.traffic.tf_prediction_log.prediction_log import export_log  # noqa: PLC0415 - help must not wait for it

    load_frameworks("tensorflow")
    try:
        with replacing(target) as file:
            return export_log(traffic, file)
    except OSError as error:
        raise CannotRun(
            "The records were not written.",
            got=f"{target}: {error.strerror}",
            expected="a file in a folder that exists, has room and may be written",
            fix="Give another --to.",
        ) from error


def described(summary: TrafficSummary) -> dict[str, object]:
    """The summary as a document."""
    return {
        "rows": summary.rows,
        "repeats": summary.repeats,
        "torn_bytes": summary.torn_bytes,
        "lost_rows": summary.lost_rows,
        "segments": summary.segments,
        "first": summary.first,
        "last": summary.last,
        "models": [
            {
                "model": each.key.model,
                "version": each.key.version,
                "signature": each.key.signature,
                "rows": each.rows,
                "answered": each.answered,
                "first": each.first,
                "last": each.last,
            }
            for each in summary.models
        ],
        "gaps": [described_gap(gap) for gap in summary.gaps],
        "labels": summary.labels,
    }


def described_gap(gap: Gap) -> dict[str, object]:
    """A stretch of missing rows, as a part of the document."""
    return {
        "first": as_datetime(gap.first_us),
        "last": as_datetime(gap.last_us),
        "rows": gap.rows,
        "reason": gap.reason,
        "lost": [
            {
                "model": each.model,
                "version": each.version,
                "rows": each.rows,
                "first_event": as_datetime(each.first_event_us),
                "last_event": as_datetime(each.last_event_us),
            }
            for each in gap.lost
        ],
    }


def lines(summary: TrafficSummary) -> list[str]:
    """The summary for a person."""
    labels = summary.labels
    text = [f"{summary.rows:,} predictions in {summary.segments:,} segment{'' if summary.segments == 1 else 's'}"]
    if summary.first is not None and summary.last is not None:
        text[0] += f", {summary.first:%Y-%m-%d %H:%M} to {summary.last:%Y-%m-%d %H:%M} UTC"
    for each in summary.models:
        sampled = "" if each.answered == each.rows else f", a sample of about {each.answered:,}"
        text.append(f"  {each.key.model}/{each.key.version} {each.key.signature}: {each.rows:,}{sampled}")
    for gap in summary.gaps:
        versions = ", ".join(f"{lost.model}/{lost.version} {lost.rows:,}" for lost in gap.lost)
        text.append(f"missing: {gap} ({versions})")
    text.append(f"{labels.distinct:,} predictions labelled, {labels.conflicts:,} with conflicting labels")
    if summary.repeats or labels.repeats:
        text.append(f"left out: {summary.repeats:,} repeated predictions, {labels.repeats:,} repeated labels")
    if summary.torn_bytes or labels.torn_bytes:
        text.append(f"cut off: {summary.torn_bytes + labels.torn_bytes:,} bytes of appends that were interrupted")
    if labels.damaged_bytes:
        text.append(f"damaged: {labels.damaged_bytes:,} bytes of labels behind a spot that is not what was written")
    return text
