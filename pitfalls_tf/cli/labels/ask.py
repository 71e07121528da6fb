"""``pitfalls labels ask``: draw rows of the traffic for a person to label."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pyarrow as pa

from monitoring.asking.ask import Asked, ask, labels_root
from monitoring.atomic import write_text
from monitoring.config import load_config
from monitoring.errors import BadInput, CannotRun
from monitoring.reports.results_table import FORMULA, csv_lines
from monitoring.runs.versions import answering_config
from monitoring.traffic.cells import is_list
from monitoring.traffic.format.parquet_file import write_parquet
from pitfalls_tf.cli.monitor.options import config_option, traffic_option, with_traffic
from pitfalls_tf.cli.output import printable, with_output

if TYPE_CHECKING:
    from pitfalls_tf.cli.output import Output


@click.command()
@config_option
@traffic_option
@click.option(
    "--out",
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write, .csv or Parquet.",
)
@click.option(
    "--to",
    "until",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Ask as of the beginning of that day, for rows before it.  [default: now]",
)
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), help="What the choice depends on.  [default: that of the last draw]"
)
@with_output
def command(
    config_path: Path, *, traffic: str | None, out: Path, until: datetime | None, seed: int | None, output: Output
) -> int:
    """Draw rows of the traffic for a person to label.

    As many as the budget in the [labels] section allows since the last time, each row with the same probability and
    none twice. FILE has them, and those that were asked for before and have no label yet, with their inputs and without
    the answers. Fill in the column label, leave rows out that nobody can label, and add it: pitfalls labels add FILE.
    """
    if not out.absolute().parent.is_dir():
        raise BadInput("The folder is not there.", got=str(out), expected="a file in a folder", fix="Make it first.")
    config = answering_config(with_traffic(load_config(config_path), traffic))
    asked = ask(config, clock=lambda: datetime.now(UTC), until=None if until is None else until.date(), seed=seed)
    left_out = _write(asked, out)
    if left_out:
        output.progress(
            f"Not in a .csv file: {', '.join(map(printable, left_out))}. Parquet has them.", level="warning"
        )
    draw, root = asked.draw, labels_root(config)
    drawn = draw and {
        "rows": len(draw),
        "of": draw.rows,
        "probability": float(draw.probabilities[0]),
        "start": draw.start.astimezone(UTC).isoformat(),
        "end": draw.end.astimezone(UTC).isoformat(),
        "seed": draw.seed,
    }
    document = {
        "file": str(out),
        "rows": len(asked.rows),
        "labelled": len(asked.labelled),
        "drawn": drawn,
        "due": asked.due and asked.due.astimezone(UTC).isoformat(),
        "traffic": str(root),
    }

    output.finish(document, lambda: click.echo("\n".join(_told(asked, out, root))))
    return 0


def _told(asked: Asked, out: Path, root: Path) -> Iterator[str]:
    """What was drawn, what was written, and what a person does with it: a sentence a line."""
    draw, count = asked.draw, len(asked.rows)
    if asked.without_rows is not None:
        start, end = (f"{time:%Y-%m-%d}" for time in (asked.without_rows.start, asked.without_rows.end))
        yield (
            f"No row is drawn: none was answered from {start} until {end}, the days whose labels still count and "
            "that were not drawn from before. For traffic of other days give --to."
        )
    elif draw is None:
        yield "No row is drawn: the budget is used, or the day that the last rows were drawn from is not over."
    else:
        yield (
            f"Drew {len(draw):,} of {draw.rows:,} rows answered from {draw.start:%Y-%m-%d} until "
            f"{draw.end:%Y-%m-%d}, each with a probability of {draw.probabilities[0]:.4f} (seed {draw.seed})."
        )
    if len(asked.labelled):
        yield f"Of the rows that are asked for, {len(asked.labelled):,} have a label already."
    wrote = f"Wrote {count:,} rows that wait for a label to {out}."
    yield printable(wrote if count else f"No row waits for a label: {out} has none.")
    if asked.due is not None:
        yield (
            f"Fill in the column label, and add it by {asked.due.astimezone(UTC):%Y-%m-%d %H:%M} UTC: "
            f"pitfalls labels add {out} --traffic {root}"
        )


def _write(asked: Asked, out: Path) -> tuple[str, ...]:
    """Write the rows. Returns the inputs that the file cannot have."""
    table, left_out = asked.table(), tuple[str, ...]()
    try:
        if out.suffix.lower() != ".csv":
            write_parquet(out, table)
            return ()
        _check_ids(table, out)
        left_out = tuple(field.name for field in table.schema if is_list(field.type))
        table = table.drop_columns(list(left_out))
        write_text(out, "".join(csv_lines(table.column_names, zip(*table.to_pydict().values(), strict=True))))
    except OSError as error:
        raise CannotRun(
            "The rows were not written. They are drawn, and the next run writes them.",
            got=f"{out}: {error.strerror}",
            expected="a file in a writable folder with free space",
            fix="Choose another --out.",
        ) from error
    return left_out


def _check_ids(table: pa.Table, out: Path) -> None:
    """Raises BadInput where an id would be written with an apostrophe, as a spreadsheet takes it for a formula."""
    odd = [name for name in table["prediction_id"].to_pylist() if name.startswith(FORMULA)]
    if odd:
        raise BadInput(
            "A .csv file cannot have these ids: a spreadsheet would take them for formulas.",
            got=repr(odd[0]),
            expected="a Parquet file",
            fix=f"Write {out.with_suffix('.parquet')} instead; the rows are drawn.",
        )
