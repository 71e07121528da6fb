"""``pitfalls monitor init``: write a config for a bundle, or for a table of predictions."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitoring.errors import BadInput
from monitoring.traffic.remote.urls import is_url, shown_url
from pitfalls_tf.cli.column_roles import dictionary_of, named_columns, split_columns, with_column_roles
from pitfalls_tf.cli.file_form import FORMAT_FLAGS, table_format, with_table_format
from pitfalls_tf.cli.monitor.options import exclude_option
from pitfalls_tf.cli.output import printable, with_output

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monitoring.config import MetricDraft
    from monitoring.jobs.init import InitResult
    from monitoring.traffic.tables.table_format import BatchKey
    from pitfalls_tf.cli.output import Output

#: Databases of SQLAlchemy whose URL is no file's.
DATABASES = frozenset(
    {"postgresql", "mysql", "mariadb", "sqlite", "oracle", "mssql", "snowflake", "bigquery", "duckdb"}
)
HELD_OUT = "The reference should have predictions on rows that the model was not fitted on: held out, or out of fold."
#: Flags for tables only.
TABLE_FLAGS = (
    "query",
    "live_query",
    "live_labels",
    "event_time",
    "score",
    "predicted",
    "task",
    "label",
    "label_time",
    "prediction_id",
    "classes",
    "features",
    "categorical",
    "ignore",
    "group",
    "naive_timezone",
    "by_file",
    "batch_column",
    *FORMAT_FLAGS,
)

#: Flags that are fields of a table's description as they stand.
COLUMN_FLAGS = ("event_time", "label_time", "prediction_id", "group")

#: Columns that the terminal lists.
LISTED = 60


@click.command()
@click.option("--bundle", type=click.Path(path_type=Path), help="MODELS/NAME, or the folder of a version.")
@click.option(
    "--reference",
    metavar="PATH_OR_URL",
    help="Instead of a bundle: a table of predictions from a period with good performance. File, folder or pattern.",
)
@click.option(
    "--query", metavar="SQL|@FILE", help="The reference's rows from a database, whose SQLAlchemy URL --reference gives."
)
@click.option("--traffic", metavar="PATH_OR_URL", help="Folder of the traffic log, or files of the live table.")
@click.option(
    "--live-query",
    metavar="SQL|@FILE",
    help="The live rows from a database, whose SQLAlchemy URL --traffic gives, of the times :start to :end.",
)
@click.option(
    "--live-labels",
    metavar="PATH_OR_URL",
    help="Labels of live rows in a table of their own; there may be none yet. Of a database SQL|@FILE.",
)
@click.option(
    "--event-time", metavar="COLUMN", help="Time of the prediction, if only of live ones.  [with --reference]"
)
@click.option(
    "--score",
    multiple=True,
    metavar="COLUMN",
    help="Probability of the second class, or A,B,C: one per class; of several outputs OUTPUT=A,B,C; repeatable.  "
    "[with --reference]",
)
@click.option(
    "--predicted",
    metavar="COLUMN",
    help="Predicted class, or predicted number; or A,B,C, or a column of lists: several numbers; or lists of ids; or "
    "OUTPUT=COLUMN,...",
)
@click.option(
    "--task",
    type=click.Choice(("classification", "multilabel", "regression", "ranking", "inputs")),
    help="What is predicted.  [default: multilabel if labels are lists or several columns, regression if they are "
    "fractions or many numbers; ranking, lists of ids, and inputs, a table without answers, have to be said; with "
    "--reference]",
)
@click.option(
    "--label",
    metavar="COLUMN",
    help="Label; or A,B,C: a 0 or 1 for each class, where a row may have several, or a number for each that is "
    "predicted; or OUTPUT=COLUMN,... for several outputs.  [with --reference]",
)
@click.option("--label-time", metavar="COLUMN", help="Time when the label became known.")
@click.option("--prediction-id", metavar="COLUMN", help="Unique id of the prediction.")
@click.option(
    "--classes", default="", metavar="A,B", help="Class names in the order of the scores; or OUTPUT=A,B,OUTPUT=C,D."
)
@click.option("--features", default="", metavar="A,B", help="Inputs; A:KIND sets a kind, such as A:category or A:text.")
@with_column_roles
@click.option("--slices", default="", metavar="A,B", help="Categorical inputs whose values are watched separately.")
@click.option(
    "--class-slices",
    default="",
    metavar="A,B",
    help="Watch losses by true class (label) or by predicted class (predicted).",
)
@click.option(
    "--quantile",
    type=click.FloatRange(0.0, 1.0, min_open=True, max_open=True),
    metavar="Q",
    help="Which quantile of the label a predicted number is, such as 0.9.",
)
@click.option(
    "--metric",
    multiple=True,
    metavar="NAME=MODULE:FUNCTION[,INPUT...]",
    help="A metric of your own: a function of labelled rows and of the inputs named; repeatable.",
)
@exclude_option
@click.option(
    "--burn-in",
    metavar="LENGTH",
    help="For a reference without dates: so long, such as 28d, traffic shows how much good windows differ.",
)
@click.option("--every", default="1d", show_default=True, help="Length of a window, such as 1d, 6h or 15m.")
@click.option(
    "--min-rows",
    type=click.IntRange(1),
    metavar="N",
    help="Rows that a window needs to be tested by itself.  [default: by the reference, at most 200]",
)
@click.option(
    "--label-horizon", metavar="LENGTH", help="The longest label delay that counts.  [default: by the reference, or 7d]"
)
@click.option("--rows", type=click.IntRange(1), metavar="N", help="Windows of N rows instead of a fixed length.")
@click.option("--by-file", is_flag=True, help="Rows have no times: each file is a window.  [with --reference]")
@click.option(
    "--batch-column", metavar="COLUMN", help="Rows have no times: each value is a window.  [with --reference]"
)
@with_table_format
@click.option("--timezone", default="UTC", show_default=True, help="Time zone of the windows.")
@click.option(
    "--naive-timezone", metavar="ZONE", help="Time zone of times without one.  [default: UTC; with --reference]"
)
@click.option(
    "--out", default=Path(), type=click.Path(path_type=Path), help="Output folder.  [default: current folder]"
)
@click.option("--force", is_flag=True, help="Replace an existing config.")
@with_output
def command(
    bundle: Path | None,
    reference: str | None,
    traffic: str | None,
    *,
    out: Path,
    force: bool,
    output: Output,
    **flags: Any,  # of columns and windows, as click has parsed them
) -> int:
    """Write a monitor.toml for a bundle or a table.

    The config is validated, and the baseline is cut into windows once, before anything is written. With --reference,
    the baseline and its TFDV schema are made from that table.
    """
    from monitoring.jobs.config_file import as_written  # noqa: PLC0415 - not needed for --help

    _check(bundle, reference, traffic, {f"--{name.replace('_', '-')}": flags[name] for name in TABLE_FLAGS})
    watched = _watched(flags) | {name: flags[name] for name in ("every", "rows", "timezone", "quantile")}
    watched["settings"] |= _live(traffic, flags["live_query"], flags["live_labels"], out)
    dictionary, callers = dictionary_of(flags["dictionary"]), _callers(reference, flags["excluded"])
    live = _live_place(traffic, out)
    if reference is None:
        assert bundle is not None  # noqa: S101 - for the type checker: one of them is given
        from monitoring.config import ConfigDraft  # noqa: PLC0415 - not needed for --help
        from monitoring.jobs.config_file import write_config  # noqa: PLC0415 - as above

        draft = ConfigDraft(bundle=as_written(bundle, out), traffic=live, columns=dictionary, **callers, **watched)
        written = write_config(draft, out, force=force)
        for note in written.notes:
            output.progress(note)
        output.finish(
            {"config": str(written.config), "notes": list(written.notes)},
            lambda: click.echo(f"Wrote {written.config}. Next: pitfalls monitor run --config {written.config}"),
        )
        return 0
    from monitoring.jobs.init import init_monitor  # noqa: PLC0415 - not needed for --help
    from monitoring.jobs.table_description import TableDescription, columns_named  # noqa: PLC0415 - as above

    named: dict[str, Any] = {"task": flags["task"]}
    words = {name: split_columns(flags[name] or "") for name in ("predicted", "label", "classes")}
    named |= named_columns({"scores": split_columns(",".join(flags["score"])), **words})
    named |= {name: split_columns(flags[name]) for name in ("categorical", "ignore")}
    description = TableDescription(
        dictionary=dictionary,
        inputs=split_columns(flags["features"]),
        traffic=live,
        naive_timezone=flags["naive_timezone"] or "UTC",
        format=table_format(flags),
        batches=_batches(flags),
        **columns_named(named),
        **{name: flags[name] for name in COLUMN_FLAGS},
        **watched,
    )
    with _reference_place(reference, flags["query"], output) as place:
        adopted = init_monitor(place, description, out=out, clock=lambda: datetime.now(UTC), force=force)
    for note in _notes(adopted):
        output.progress(note)
    output.finish(_document(adopted), lambda: _show(adopted, traffic))
    return 0


@contextmanager
def _reference_place(reference: str, query: str | None, output: Output) -> Iterator[Path | str]:
    """Where the reference's rows are; those of a query, in a temporary file."""
    if query is None:
        yield reference if is_url(reference) else Path(reference)
        return
    from monitoring.traffic.remote.sql_query import SqlQuery, query_to_parquet  # noqa: PLC0415 - as above

    with tempfile.TemporaryDirectory(prefix="pitfalls-") as folder:
        target = Path(folder, "query.parquet")
        rows = query_to_parquet(SqlQuery(url=reference, text=_statement(query)), target)
        output.progress(f"The query has {rows:,} rows ({shown_url(reference)}).")
        yield target


def _statement(query: str) -> str:
    if not query.startswith("@"):
        return query
    try:
        return Path(query[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            "The file of the query cannot be read.",
            got=f"{query[1:]}: {error}",
            expected="a text file with one SELECT statement",
            fix="Check the path after the @.",
        ) from error


def _check(bundle: Path | None, reference: str | None, traffic: str | None, named: Mapping[str, object]) -> None:
    if (bundle is None) == (reference is None):
        raise BadInput(
            "A config needs either a bundle or a reference table.",
            got="neither" if bundle is None else "both",
            expected="--bundle, or --reference",
            fix="Give one of the two.",
        )
    options = [option for option, value in named.items() if value]
    if reference is not None and not named["--query"] and _is_database(reference):
        raise BadInput(
            "A database needs a query.",
            got="--reference with the URL of a database",
            expected="--query, too",
            fix="Add --query 'SELECT time, score, label FROM …', or --query @FILE.",
        )
    if bundle is not None and (traffic is None or options):
        raise BadInput(
            "--bundle takes --traffic and no column flags.",
            got=f"{', '.join(options)}" if options else "no --traffic",
            expected="--bundle and --traffic",
            fix="Name the folder of the traffic log with --traffic; column flags go with --reference.",
        )


def _live_place(traffic: str | None, out: Path) -> str | None:
    """The place of live rows as the config writes it: files of the current folder relative to the config's."""
    from monitoring.jobs.config_file import as_written  # noqa: PLC0415 - not needed for --help

    if traffic is None:
        return None
    scheme, slashes, file = traffic.partition(":///")
    if slashes and scheme.partition("+")[0] in ("sqlite", "duckdb"):
        return f"{scheme}:///{as_written(Path(file), out)}"
    return traffic if is_url(traffic) else as_written(Path(traffic), out)


def _batches(flags: Mapping[str, Any]) -> BatchKey | None:
    """What a batch is, if rows come in some; BadInput for batches beside times or another cut."""
    from monitoring.traffic.tables.table_format import BatchKey  # noqa: PLC0415 - loads Arrow

    names = ("by_file", "batch_column", "rows", "event_time", "live_query")
    options = [f"--{name.replace('_', '-')}" for name in names if flags[name]]
    if len(options) > 1 and (flags["by_file"] or flags["batch_column"]):
        raise BadInput(
            "Batches stand in place of event times, in files.",
            got=" and ".join(options),
            expected="one of --by-file and --batch-column, without --event-time, --rows and --live-query",
            fix="Leave the others out.",
        )
    return BatchKey(column=flags["batch_column"]) if flags["by_file"] or flags["batch_column"] else None


def _callers(reference: str | None, excluded: tuple[str, ...]) -> dict[str, Any]:
    """The callers to exclude, as a draft has them; BadInput for those of a table, which does not know them."""
    if reference is not None and excluded:
        raise BadInput(
            "Callers are known in a traffic log only.",
            got="--exclude-caller with --reference",
            expected="--bundle with it",
            fix="Leave their rows out of the table.",
        )
    return {"exclude_callers": excluded}


def _watched(flags: Mapping[str, Any]) -> dict[str, Any]:
    """What is watched besides the whole traffic's losses, and how: slices, metrics of the user's own, a burn-in."""
    fields: dict[str, Any] = {name: split_columns(flags[name]) for name in ("slices", "class_slices")}
    settings: dict[str, dict[str, Any]] = {}
    if flags["burn_in"]:
        settings["baseline"] = {"burn_in": flags["burn_in"]}
    windows = {name: flags[name] for name in ("min_rows", "label_horizon") if flags[name] is not None}
    if windows:
        settings["windows"] = windows
    return {**fields, "settings": settings, "metrics": tuple(map(_metric, flags["metric"]))}


def _live(traffic: str | None, query: str | None, labels: str | None, out: Path) -> dict[str, dict[str, str]]:
    """Where live rows and their labels are, as settings: of a database by queries, else as a place of files."""
    from monitoring.jobs.config_file import as_written  # noqa: PLC0415 - not needed for --help

    is_database = traffic is not None and _is_database(traffic)
    if is_database != (query is not None):
        raise BadInput(
            "Live rows of a database need its URL and a query.",
            got=f"--traffic {shown_url(str(traffic))}, and no --live-query" if is_database else "--live-query alone",
            expected="--traffic with the URL of a database, and --live-query",
            fix="Add --live-query 'SELECT * FROM predictions WHERE event_time >= :start AND event_time < :end', or "
            "--live-query @FILE."
            if is_database
            else "Add --traffic with the URL of the database.",
        )
    section = {} if query is None else {"query": _statement(query)}
    if labels is not None and is_database:
        section["labels_query"] = _statement(labels)
    elif labels is not None:
        section["labels"] = labels if is_url(labels) else as_written(Path(labels), out)
    return {"traffic": section} if section else {}


def _is_database(place: str) -> bool:
    return place.partition("://")[0].partition("+")[0] in DATABASES


def _metric(text: str) -> MetricDraft:
    from monitoring.config import MetricDraft  # noqa: PLC0415 - not needed for --help

    name, equals, place = text.partition("=")
    function, *inputs = split_columns(place) or ("",)
    if not equals or not function:
        raise BadInput(
            "A metric needs a name and a function.",
            got=f"--metric {text}",
            expected="NAME=MODULE:FUNCTION, and the inputs that it reads after commas",
            fix="Write, for example, --metric missed_calls=my_metrics:missed_calls,distance.",
        )
    return MetricDraft(name=name.strip(), function=function, inputs=tuple(inputs))


def _document(adopted: InitResult) -> dict[str, object]:
    return {
        "config": str(adopted.config),
        "rows": adopted.rows,
        "windows": adopted.windows,
        "classes": list(adopted.classes),
        "numbers": list(adopted.numbers),
        "places": adopted.places,
        "outputs": {name: list(classes) for name, classes in adopted.outputs.items()},
        "inputs": list(adopted.inputs),
        "columns": [column.document() for column in adopted.columns],
        "notes": list(_notes(adopted)),
    }


def _show(adopted: InitResult, traffic: str | None) -> None:
    text = (
        f"Wrote {adopted.config}: a baseline of {adopted.rows:,} rows in {adopted.windows} windows,"
        f" {len(adopted.inputs)} inputs, " + _answers(adopted)
    )
    for line in _columns(adopted):
        click.echo(printable(line))
    click.echo(printable(text))
    where = "" if traffic is not None else " --traffic 'live/*'"
    click.echo(f"Next: pitfalls monitor run --config {adopted.config}{where}")


def _notes(adopted: InitResult) -> tuple[str, ...]:
    return (HELD_OUT, *adopted.notes) if _has_answers(adopted) else adopted.notes


def _has_answers(adopted: InitResult) -> bool:
    return any(column.role in ("score", "predicted") for column in adopted.columns)


def _answers(adopted: InitResult) -> str:
    if not _has_answers(adopted):
        return "no answers."
    if adopted.numbers:
        return f"{len(adopted.numbers)} predicted numbers: {', '.join(adopted.numbers)}."
    if adopted.outputs:
        each = (f"{name} ({', '.join(of) if of else 'a number'})" for name, of in adopted.outputs.items())
        return f"{len(adopted.outputs)} outputs: {', '.join(each)}."
    if adopted.places is not None:
        return f"rankings of up to {adopted.places} ids."
    return f"classes {', '.join(adopted.classes)}." if adopted.classes else "a predicted number."


def _columns(adopted: InitResult) -> Iterator[str]:
    """What each column was taken for, in lines of equal columns."""
    shown = adopted.columns[:LISTED]
    names = max((len(column.name) for column in shown), default=0)
    for column in shown:
        what = ", ".join(word for word in (column.kind, column.unit, column.why, column.description) if word)
        yield f"  {column.name:<{names}}  {column.role:<13}  {what}".rstrip()
    if len(adopted.columns) > LISTED:
        yield f"  … and {len(adopted.columns) - LISTED:,} more: --json lists all."
