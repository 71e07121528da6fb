"""``pitfalls labels add``: add labels from a file to a traffic log."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.errors import CannotRun
from monitoring.traffic.labels.label_file import read_label_file
from monitoring.traffic.labels.label_log import LabelLog
from monitoring.traffic.labels.label_writer import LabelWriter
from monitoring.traffic.log.log import TrafficLog
from pitfalls_tf.cli.output import with_output

if TYPE_CHECKING:
    from pitfalls_tf.cli.output import Output


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--traffic", required=True, type=click.Path(path_type=Path), help="Folder of the traffic log.")
@with_output
def command(file: Path, traffic: Path, *, output: Output) -> int:
    """Add the labels in FILE to a traffic log: all of them, or none.

    FILE is CSV or Parquet with the columns prediction_id, label and label_time (ISO 8601; UTC without an offset). The
    columns model, version and output say what a label is for, where one id was sent to several models, and where a
    model has several outputs. If a prediction has several labels, the last one to arrive counts. A server may be
    writing to the log.
    """
    log = LabelLog(traffic)
    table = read_label_file(file)
    writer = LabelWriter(traffic, clock=lambda: datetime.now(UTC))
    try:
        times = table.column("label_time").cast(pa.int64()).to_numpy()
        added = writer.append(
            table.column("prediction_id").combine_chunks(),
            table.column("label").combine_chunks(),
            times,
            models=table.column("model").combine_chunks(),
            versions=table.column("version").combine_chunks(),
        )
    except OSError as error:
        raise CannotRun(
            f"The labels in {file} were not added.",
            got=f"{traffic}: {error.strerror}",
            expected="a writable folder with free space",
            fix="Free space, then add the file again.",
        ) from error
    finally:
        writer.close()
    summary = log.summary()
    without_row, example_id = _ids_without_row(traffic, table.column("prediction_id"))
    document = {"file": str(file), "traffic": str(traffic), "added": added}

    def show() -> None:
        click.echo(
            f"Added {added:,} label{'' if added == 1 else 's'}; the log has labels for {summary.distinct:,} prediction"
            f" ids ({summary.repeats:,} repeated labels, {summary.conflicts:,} predictions with conflicting labels)."
        )
        if added < table.num_rows:
            click.echo(f"{table.num_rows - added:,} labels of erased predictions were left out.")
        if without_row:
            click.echo(
                f"{without_row:,} of these ids are of no prediction of a server, such as {example_id!r}: a prediction "
                f"is called REQUEST_ID:ROW or ANSWER_ID:ROW, and rows are counted from 0: '{example_id}:0'."
            )

    output.finish({**document, "without_row": without_row, "labels": dataclasses.asdict(summary)}, show)
    return 0


def _ids_without_row(traffic: Path, ids: pa.ChunkedArray) -> tuple[int, str]:
    """How many ids cannot be those of a server's predictions, and one of them; 0 where the log has no predictions."""
    if not TrafficLog(traffic).models():
        return 0, ""
    without = ids.filter(pc.invert(pc.match_substring_regex(ids, r":\d+$")))
    return len(without), pc.min(without).as_py() or ""
