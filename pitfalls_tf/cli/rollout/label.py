"""``pitfalls rollout label``: write rows on which the versions disagree, for a person to label."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path

import click

from monitoring.config import load_config
from monitoring.rollout.ask_labels import ask_labels
from monitoring.rollout.log.label_samples import Asking
from monitoring.store.store import Store
from monitoring.traffic.windows import parse_duration
from pitfalls_tf.cli.monitor.options import config_option
from pitfalls_tf.cli.output import Output, printable, with_output
from pitfalls_tf.cli.rollout.status import rollout_of, rollout_option
from pitfalls_tf.cli.rollout.versions import author_of, by_option
from pitfalls_tf.cli.traffic.summary import write_rows


@click.command()
@config_option
@rollout_option
@click.option("--rows", default=200, show_default=True, type=click.IntRange(1), help="How many rows, about.")
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="FILE", help="Parquet file to write.")
@click.option(
    "--within", default="7d", show_default=True, metavar="LENGTH", help="Until when the labels come; they count then."
)
@by_option
@with_output
def command(
    config_path: Path, *, number: int | None, rows: int, out: Path, within: str, by: str | None, output: Output
) -> int:
    """Write rows on which the versions disagree, for a person to label.

    They are a sample, by a hash of their ids, of all such rows in windows that have ended and were not counted: rows on
    which the versions agree need no label. The probability with which they were chosen is kept, and weighs their
    labels; other labels of these windows do not count. Fill in the column label, leave rows out that nobody can label,
    and add the file: `pitfalls labels add FILE`.
    """
    config, author = load_config(config_path), author_of(by)
    due = datetime.now(UTC) + parse_duration(within)
    with Store.open(config.store.url, make=False) as store:
        record = rollout_of(config, store, number)
        asking = Asking(rows=rows, salt=secrets.token_hex(8), due=due)
        label_rows, table = ask_labels(config, store, record, author, asking, lambda table: write_rows(table, out))
    sample = label_rows.sample
    document = {
        "rollout": record.number,
        "file": str(out),
        "rows": table.num_rows,
        "disagreements": label_rows.disagreements,
        "probability": sample.probability,
        "windows": {"start": sample.start.isoformat(), "end": sample.end.isoformat()},
        "due": sample.due.isoformat(),
    }

    def show() -> None:
        click.echo(
            printable(
                f"Wrote {table.num_rows:,} of {label_rows.disagreements:,} rows on which the versions disagree to "
                f"{out}, each chosen with a probability of {sample.probability:.4f}."
            )
        )
        click.echo(
            f"Fill in the column label, and add it by {sample.due:%Y-%m-%d %H:%M} UTC: "
            f"pitfalls labels add {out} --traffic {config.traffic.label_log}"
        )

    output.finish(document, show)
    return 0
