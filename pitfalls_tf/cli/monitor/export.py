"""``pitfalls monitor export``: what was judged, as a table."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pyarrow.parquet as pq

from monitoring.atomic import replacing
from monitoring.config import load_config
from monitoring.errors import BadInput
from monitoring.inspection.status import status
from monitoring.reports.results_table import csv_lines, results_table
from monitoring.store.store import Store
from pitfalls_tf.cli.monitor.options import config_option, deployment_of, deployment_option
from pitfalls_tf.cli.output import with_output

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from monitoring.reports.results_table import Value
    from pitfalls_tf.cli.output import Output

SUFFIXES = (".parquet", ".csv")


@click.command()
@click.option(
    "--to", "target", required=True, metavar="FILE", type=click.Path(path_type=Path), help="A .parquet or .csv file."
)
@click.option(
    "--table",
    default="scores",
    show_default=True,
    type=click.Choice(["scores", "metrics", "windows", "incidents"]),
    help="A row is a watch in a window, a metric that is shown and not tested, a window, or an incident.",
)
@config_option
@deployment_option
@with_output
def command(config_path: Path, deployment: int | None, *, target: Path, table: str, output: Output) -> int:
    """Write windows, scores or incidents to a Parquet or CSV file.

    Scores have value, baseline, standard deviation, tolerance, effect size and evidence of every watch in every window.
    Evaluates nothing.
    """
    if not target.absolute().parent.is_dir():
        raise BadInput(
            "The folder of --to is not there.",
            got=f"--to {target}",
            expected="a file in a folder that exists",
            fix="Make the folder first.",
        )
    if target.suffix not in SUFFIXES or target.is_dir():
        raise BadInput(
            "--to does not name a table.",
            got=f"--to {target}",
            expected=f"a file that ends in {' or '.join(SUFFIXES)}",
            fix="For example --to scores.parquet",
        )

    config = load_config(config_path)
    with Store.open(config.store.url, make=False) as store:
        number = deployment_of(config, store, output, deployment)
        monitor_status = status(store, config.name, number, now=datetime.now(UTC))
    rows = results_table(monitor_status, table)
    with replacing(target) as aside:
        if target.suffix == ".parquet":
            pq.write_table(rows, aside)
        else:
            aside.writelines(part.encode() for part in csv_lines(rows.column_names, _values(rows)))
    document = {"file": str(target), "table": table, "rows": rows.num_rows}
    output.finish(document, lambda: click.echo(f"{rows.num_rows:,} rows in {target}"))
    return 0


def _values(table: pa.Table) -> Iterator[tuple[Value, ...]]:
    """The rows of a table, of which a part is in memory."""
    for batch in table.to_batches(max_chunksize=10_000):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
