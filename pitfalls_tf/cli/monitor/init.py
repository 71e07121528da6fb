"""``pitfalls monitor init``: write a config for a bundle, or for a table of one's own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitoring.errors import BadInput
from pitfalls_tf.cli.output import printable, with_output

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitoring.jobs.init import Adopted
    from pitfalls_tf.cli.output import Output

FAIR = "The reference should hold predictions on rows that the model was not fitted on: held out, or out of fold."
#: The flags that only a table has.
COLUMNS = (
    "event_time",
    "score",
    "predicted",
    "label",
    "label_time",
    "prediction_id",
    "classes",
    "features",
    "naive_timezone",
)


@click.command()
@click.option("--bundle", type=click.Path(path_type=Path), help="MODELS/NAME, or one version's folder.")
@click.option(
    "--reference",
    type=click.Path(path_type=Path),
    help="Instead of a bundle: a table of predictions from when the model was good. File, folder or pattern.",
)
@click.option("--traffic", metavar="PATH_OR_URL", help="The traffic log's folder, or the live table's files.")
@click.option("--event-time", metavar="COLUMN", help="When a prediction was asked for.  [with --reference]")
@click.option(
    "--score",
    multiple=True,
    metavar="COLUMN",
    help="Probability of the second class; or A,B,C: one per class; may be given again.  [with --reference]",
)
@click.option("--predicted", metavar="COLUMN", help="The predicted class, where there is no score.")
@click.option("--label", metavar="COLUMN", help="The truth.  [with --reference]")
@click.option("--label-time", metavar="COLUMN", help="When the truth became known.")
@click.option("--prediction-id", metavar="COLUMN", help="What tells predictions apart.")
@click.option("--classes", default="", metavar="A,B", help="Class names in the order of the scores.")
@click.option("--features", default="", metavar="A,B", help="The inputs; A:number and A:category say of which kind.")
@click.option("--slices", default="", metavar="A,B", help="Category inputs whose every value is watched on its own.")
@click.option(
    "--class-slices", default="", metavar="A,B", help="Watch losses by true class (label) or by answer (predicted)."
)
@click.option("--every", default="1d", show_default=True, help="Length of a window, such as 1d, 6h or 15m.")
@click.option("--rows", type=click.IntRange(1), metavar="N", help="Windows of so many rows, whatever time they take.")
@click.option("--timezone", default="UTC", show_default=True, help="Whose days the windows are.")
@click.option(
    "--naive-timezone", metavar="ZONE", help="Zone of times that have none.  [default: UTC; with --reference]"
)
@click.option("--out", default=Path(), type=click.Path(path_type=Path), help="Folder to write to.  [default: here]")
@click.option("--force", is_flag=True, help="Replace a config that is there.")
@with_output
def command(
    bundle: Path | None,
    reference: Path | None,
    traffic: str | None,
    *,
    out: Path,
    force: bool,
    output: Output,
    **said: Any,  # the flags about columns and windows, as click has read them
) -> int:
    """Write a monitor.toml for a bundle or a table.

    The file is checked as `monitor run` will check it, and the baseline is cut into windows once, before anything is
    written in its place. With --reference, the baseline is made of that table first, with its TFDV schema.
    """
    from monitoring.jobs.config_file import as_written  # noqa: PLC0415 - help must not wait for it
    from monitoring.traffic.remote.file_store import is_url  # noqa: PLC0415 - as above

    _check(bundle, reference, traffic, {f"--{name.replace('_', '-')}": said[name] for name in COLUMNS})
    windows = {name: said[name] for name in ("every", "rows", "timezone")}
    sliced: dict[str, Any] = {name: _words(said[name]) for name in ("slices", "class_slices")}
    live = traffic if traffic is None or is_url(traffic) else as_written(Path(traffic), out)
    if reference is None:
        assert bundle is not None  # noqa: S101 - for the type checker: one of them is given
        from monitoring.config import ConfigDraft  # noqa: PLC0415 - help must not wait for it
        from monitoring.jobs.config_file import write_config  # noqa: PLC0415 - as above

        draft = ConfigDraft(bundle=as_written(bundle, out), traffic=live, **sliced, **windows)
        path = write_config(draft, out, force=force)
        output.finish(
            {"config": str(path)}, lambda: click.echo(f"Wrote {path}. Next: pitfalls monitor run --config {path}")
        )
        return 0
    from monitoring.jobs.init import OwnTable, adopt  # noqa: PLC0415 - help must not wait for it

    own = OwnTable(
        event_time=said["event_time"] or "event_time",
        scores=tuple(name for words in said["score"] for name in _words(words)),
        inputs=_words(said["features"]),
        classes=_words(said["classes"]),
        traffic=live,
        naive_timezone=said["naive_timezone"] or "UTC",
        **{name: said[name] for name in ("predicted", "label", "label_time", "prediction_id")},
        **sliced,
        **windows,
    )
    adopted = adopt(reference, own, out=out, clock=lambda: datetime.now(UTC), force=force)
    for note in (FAIR, *adopted.notes):
        output.progress(note)
    output.finish(_document(adopted), lambda: _show(adopted, traffic))
    return 0


def _check(bundle: Path | None, reference: Path | None, traffic: str | None, named: Mapping[str, object]) -> None:
    if (bundle is None) == (reference is None):
        raise BadInput(
            "A config is about a bundle or about a table.",
            got="neither of them" if bundle is None else "both",
            expected="--bundle, or --reference",
            fix="Give one of them.",
        )
    given = [option for option, value in named.items() if value]
    if bundle is not None and (traffic is None or given):
        raise BadInput(
            "A bundle knows its columns, and its traffic is a log.",
            got=f"{', '.join(given)}" if given else "no --traffic",
            expected="--bundle and --traffic",
            fix="Name the log's folder with --traffic; columns belong to --reference.",
        )


def _words(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _document(adopted: Adopted) -> dict[str, object]:
    return {
        "config": str(adopted.config),
        "rows": adopted.rows,
        "windows": adopted.windows,
        "classes": list(adopted.classes),
        "inputs": list(adopted.inputs),
        "notes": [FAIR, *adopted.notes],
    }


def _show(adopted: Adopted, traffic: str | None) -> None:
    words = (
        f"Wrote {adopted.config}: a baseline of {adopted.rows:,} rows in {adopted.windows} windows,"
        f" {len(adopted.inputs)} inputs, classes {', '.join(adopted.classes)}."
    )
    click.echo(printable(words))
    where = "" if traffic is not None else " --traffic 'LIVE*.parquet'"
    click.echo(f"Next: pitfalls monitor run --config {adopted.config}{where}")
