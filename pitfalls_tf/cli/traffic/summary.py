"""``pitfalls traffic summary``: summary of a traffic log, or its rows with their labels."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitoring.atomic import replacing
from monitoring.errors import BadInput, CannotRun
from monitoring.timestamps import as_datetime
from monitoring.traffic.format.parquet_file import write_parquet
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.remote_log import log_folder
from monitoring.traffic.log.scans import Query
from monitoring.traffic.log.writer import TrafficWriter
from monitoring.traffic.remote.urls import is_url, shown_url
from monitoring.traffic.tf_prediction_log.prediction_log import export_log, import_log
from pitfalls_tf.cli.frameworks import load_frameworks
from pitfalls_tf.cli.output import one_line, with_output

if TYPE_CHECKING:
    import pyarrow as pa

    from monitoring.traffic.log.gaps import Gap
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
    help="Write the rows to this Parquet file, or, if its name ends in .tfrecord, as PredictionLog records.",
)
@click.option("--model", metavar="NAME", help="With --to: write the rows of this model alone.")
@click.option("--version", type=click.IntRange(0), metavar="N", help="With --to: write the rows of this version alone.")
@click.option(
    "--quarantine", is_flag=True, help="With --to: write the rows whose event times the server did not accept instead."
)
@click.option(
    "--from",
    "origin",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="First add the PredictionLog records of this TFRecord file to the log.",
)
@with_output
def command(
    place: str,
    target: Path | None,
    model: str | None,
    version: int | None,
    *,
    origin: Path | None,
    output: Output,
    **flags: bool,
) -> int:
    """Summarise a traffic log, or export its rows with their labels to a Parquet file.

    Columns of the file: prediction_id, request_id, row, event_time, model, version, signature, answer_id,
    caller_principal, caller_peer, one per input and output, label and label_time; one row per prediction. A server may
    be writing to the log.
    """
    if origin is not None and is_url(place):
        raise BadInput(
            "A log at a URL is read-only.",
            got=f"--from {origin} to {shown_url(place)}",
            expected="a local log",
            fix="Add the rows to a local folder and copy that.",
        )
    _check_target(target, is_chosen=model is not None or version is not None, **flags)
    traffic = log_folder(place) if origin is None else Path(place)
    added = None if origin is None else add_records(traffic, origin)
    log = TrafficLog(traffic)
    summary = log.summary()
    document = {"traffic": shown_url(place), **summary_document(summary)}
    if added is not None:
        document["from"] = {"file": str(origin), "rows": added.rows, "torn_bytes": added.torn_bytes}
    if target is None:
        text = summary_lines(summary)
    elif target.suffix in RECORD_SUFFIXES:
        check_chosen(log, model, version)
        written = write_records(traffic, target, Query(model=model, version=version))
        document["to"] = {"file": str(target), "rows": written.rows, "records": written.records}
        text = [f"Wrote {written.rows:,} rows in {written.records:,} records to {target}."]
    else:
        if not flags["quarantine"]:
            check_chosen(log, model, version)
        read = log.quarantine if flags["quarantine"] else log.table
        count = write_rows(read(model=model, version=version), target)
        document["to"] = {"file": str(target), "rows": count}
        text = [f"Wrote {count:,} rows to {target}."]
    if added is not None and added.torn_bytes:
        text.append(f"left out: the incomplete last record of {origin} ({added.torn_bytes:,} bytes)")
    output.finish(document, lambda: click.echo("\n".join(one_line(line) for line in text)))
    return 0


def _check_target(target: Path | None, *, is_chosen: bool, quarantine: bool) -> None:
    """Raises BadInput for a folder, or for rows that are chosen and cannot be written there."""
    if target is not None and target.is_dir():
        raise BadInput(
            "--to names a folder.",
            got=f"--to {target}",
            expected="a file name",
            fix=f"For example --to {target / 'rows.parquet'}",
        )
    if target is None and (is_chosen or quarantine):
        raise BadInput(
            "--model, --version and --quarantine choose rows to write.",
            got="no --to",
            expected="--to FILE with them",
            fix="Add --to FILE, or leave them out: the summary counts all rows.",
        )
    if target is not None and quarantine and target.suffix in RECORD_SUFFIXES:
        raise BadInput(
            "Rows in quarantine are written to tables only.",
            got=f"--to {target}",
            expected="--to FILE.parquet",
            fix="Name a Parquet file.",
        )


def check_chosen(log: TrafficLog, model: str | None, version: int | None) -> None:
    """Check that a chosen model and version have rows.

    Raises:
        BadInput: they have none.
    """
    models = log.models()
    if (model, version) == (None, None) or any(
        model in {None, logged_model.model} and version in {None, logged_model.version} for logged_model in models
    ):
        return
    raise BadInput(
        "The log has no rows of this model and version.",
        got=" ".join(f"{flag} {value}" for flag, value in (("--model", model), ("--version", version)) if value),
        expected=", ".join(sorted({f"{logged_model.model}/{logged_model.version}" for logged_model in models}))
        or "an empty log has none",
        fix="Correct --model or --version.",
    )


def write_rows(table: pa.Table, target: Path) -> int:
    """Write rows of a log with their labels to a Parquet file.

    Raises:
        CannotRun: the file cannot be written.
    """
    try:
        write_parquet(target, table)
    except OSError as error:
        raise CannotRun(
            "The rows were not written.",
            got=f"{target}: {error.strerror}",
            expected="a file in a writable folder with free space",
            fix="Choose another --to.",
        ) from error
    return int(table.num_rows)


def add_records(traffic: Path, origin: Path) -> Transfer:
    """Add the records of a TFRecord file to a log, which is created if needed.

    Raises:
        BadInput: not a file of PredictionLog records; the log is unchanged.
        CannotRun: the log cannot be written.
    """
    load_frameworks("tensorflow")
    writer = TrafficWriter(traffic, clock=lambda: datetime.now(UTC))
    try:
        return import_log(origin, writer.append)
    except OSError as error:
        raise CannotRun(
            "Only some of the rows were added to the log.",
            got=f"{error.filename or traffic}: {error.strerror}",
            expected="a readable file, and a log with free space",
            fix="Free space, then add the file again: repeated rows count once.",
        ) from error
    finally:
        writer.close()


def write_records(traffic: Path, target: Path, query: Query) -> Transfer:
    """Write the chosen rows of a log as PredictionLog records.

    Raises:
        CannotRun: the file cannot be written.
    """
    load_frameworks("tensorflow")
    try:
        with replacing(target) as file:
            return export_log(traffic, file, query)
    except OSError as error:
        raise CannotRun(
            "The records were not written.",
            got=f"{target}: {error.strerror}",
            expected="a file in a writable folder with free space",
            fix="Choose another --to.",
        ) from error


def summary_document(summary: TrafficSummary) -> dict[str, object]:
    """The summary for --json."""
    return {
        "rows": summary.rows,
        "repeats": summary.repeats,
        "conflicts": summary.conflicts,
        "torn_bytes": summary.torn_bytes,
        "lost_rows": summary.lost_rows,
        "quarantined": summary.quarantined,
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
        "gaps": [gap_document(gap) for gap in summary.gaps],
        "labels": summary.labels,
    }


def gap_document(gap: Gap) -> dict[str, object]:
    """An interval of missing rows for --json."""
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


def summary_lines(summary: TrafficSummary) -> list[str]:
    """The summary as lines of text."""
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
        others = f" ({summary.conflicts:,} with other inputs)" if summary.conflicts else ""
        text.append(f"left out: {summary.repeats:,} repeated predictions{others}, {labels.repeats:,} repeated labels")
    if summary.quarantined:
        text.append(f"in quarantine: {summary.quarantined:,}, as the server did not accept their event times")
    if summary.torn_bytes or labels.torn_bytes:
        text.append(f"cut off: {summary.torn_bytes + labels.torn_bytes:,} bytes of interrupted writes")
    if labels.damaged_bytes:
        text.append(f"damaged: {labels.damaged_bytes:,} bytes of labels after a corrupt record")
    return text
