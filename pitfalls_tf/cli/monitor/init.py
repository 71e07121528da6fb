"""``pitfalls monitor init``: write a config for a bundle, or for a table of predictions."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from monitoring.config import MetricDraft
from monitoring.errors import BadInput
from monitoring.onboarding.config_file import as_written, write_config
from monitoring.onboarding.init import init_monitor
from monitoring.onboarding.table_description import described
from monitoring.traffic.foreign_logs.conversion import EVENT_TIME, convert_log, log_files, with_labels
from monitoring.traffic.foreign_logs.formats import FORMATS
from monitoring.traffic.remote.sql_query import SqlQuery, query_to_parquet
from monitoring.traffic.remote.urls import is_url, shown_url
from monitoring.traffic.windows import CalendarPlan
from pitfalls_tf.cli.column_roles import COLUMNS, dictionary_of, joined, named_columns, with_column_roles
from pitfalls_tf.cli.file_form import with_table_format
from pitfalls_tf.cli.monitor.options import exclude_option
from pitfalls_tf.cli.output import one_line, printable, with_output

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monitoring.onboarding.init import InitResult
    from monitoring.onboarding.table_description import TableDescription
    from pitfalls_tf.cli.output import Output

#: Databases of SQLAlchemy whose URL is no file's.
DATABASES = frozenset(
    {"postgresql", "mysql", "mariadb", "sqlite", "oracle", "mssql", "snowflake", "bigquery", "duckdb"}
)
#: Columns that the terminal lists.
LISTED = 60

#: Flags that go with a bundle, by the names of their settings; all others say what a table's columns and files are.
WITH_BUNDLE = frozenset(
    (
        *("bundle", "reference", "traffic", "dictionary", "out", "force", "as_json"),
        *("slices", "class_slices", "exclude_callers", "quantile", "metric"),
        *("burn_in", "leave_out", "every", "min_rows", "label_horizon", "rows", "timezone"),
    )
)


@click.command()
@click.argument("path", required=False)
@click.option("--bundle", type=click.Path(path_type=Path), help="MODELS/NAME, or the folder of a version.")
@click.option(
    "--reference",
    metavar="PATH_OR_URL",
    help="Instead of a bundle: a table of predictions from a period with good performance, on rows that the model was "
    "not fitted on. File, folder or pattern.",
)
@click.option(
    "--query", metavar="SQL|@FILE", help="The reference's rows from a database, whose SQLAlchemy URL --reference gives."
)
@click.option(
    "--log",
    metavar="FORMAT",
    help=f"Reference and traffic are logs of another server: {', '.join(FORMATS)}, or a plug-in's. Of one log, PATH, "
    "what it has so far is the reference, and the windows after it are judged.",
)
@click.option("--log-columns", type=COLUMNS, metavar="A,B", help="Names of the inputs, where a log has none.")
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
    "scores",
    multiple=True,
    type=COLUMNS,
    callback=joined,
    metavar="COLUMN",
    help="Probability of the second class, or A,B,C: one per class; of several outputs OUTPUT=A,B,C; repeatable.  "
    "[with --reference]",
)
@click.option(
    "--predicted",
    type=COLUMNS,
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
    type=COLUMNS,
    metavar="COLUMN",
    help="Label; or A,B,C: a 0 or 1 for each class, where a row may have several, or a number for each that is "
    "predicted; or OUTPUT=COLUMN,... for several outputs.  [with --reference]",
)
@click.option("--label-time", metavar="COLUMN", help="Time when the label became known.")
@click.option("--prediction-id", metavar="COLUMN", help="Unique id of the prediction.")
@click.option(
    "--classes", type=COLUMNS, metavar="A,B", help="Class names in the order of the scores; or OUTPUT=A,B,OUTPUT=C,D."
)
@click.option(
    "--features",
    "inputs",
    type=COLUMNS,
    metavar="A,B",
    help="Inputs; A:KIND sets a kind, such as A:category or A:text.",
)
@with_column_roles
@click.option("--slices", type=COLUMNS, metavar="A,B", help="Categorical inputs whose values are watched separately.")
@click.option(
    "--class-slices",
    type=COLUMNS,
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
@click.option(
    "--leave-out",
    multiple=True,
    metavar="FIRST/LAST",
    help="Days of the reference that are not read, such as 2026-03-10/2026-03-19, an incident; repeatable.",
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
@click.option(
    "--label-budget",
    metavar="'N per week'",
    help="Labels that people can give, for rows that `pitfalls labels ask` draws; says how soon harm is told.",
)
@click.option("--rows", type=click.IntRange(1), metavar="N", help="Windows of N rows instead of a fixed length.")
@click.option(
    "--by-file", is_flag=True, default=None, help="Rows have no times: each file is a window.  [with --reference]"
)
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
    path: str | None,
    bundle: Path | None,
    *,
    metric: tuple[str, ...],
    label_budget: str | None,
    out: Path,
    force: bool,
    output: Output,
    **flags: Any,  # by the names of settings, as `described` takes them; of places, as `Places` has them
) -> int:
    """Write a monitor.toml for a bundle or a table.

    The config is validated, and the baseline is cut into windows once, before anything is written. With --reference,
    the baseline and its TFDV schema are made from that table.
    """
    places = Places(**{name: flags.pop(name) for name in Places._fields})
    if out.suffix == ".toml":
        raise BadInput(
            "--out is a folder.",
            got=str(out),
            expected="the folder of monitor.toml and its baseline",
            fix=f"Use --out {out.parent}.",
        )
    if path is not None:
        places = _of_one_log(path, bundle, places)
    _check(bundle, places)
    _check_batches(flags, places)
    if places.log is not None:
        flags = {**flags, **{name: flags[name] or name for name in ("event_time", "prediction_id")}}
    dictionary = dictionary_of(flags.pop("dictionary"))
    metrics = tuple(map(_metric, metric))
    settings = places.settings(out) | ({"labels": {"budget": label_budget}} if label_budget else {})
    description = described(dictionary=dictionary, metrics=metrics, settings=settings, **named_columns(flags))
    if bundle is not None:
        return _of_bundle(bundle, description, out, output, force=force)
    return _of_table(places, description, out, output, force=force)


def _of_bundle(bundle: Path, description: TableDescription, out: Path, output: Output, *, force: bool) -> int:
    settings = dict(description.settings)
    settings["model"] = {"bundle": as_written(bundle, out), **settings.get("model", {})}
    settings["columns"] = {
        name: section.model_dump(exclude_none=True) for name, section in description.dictionary.items()
    }
    written = write_config(settings, out, force=force)
    for note in written.notes:
        output.progress(note)
    output.finish(
        {"config": str(written.config), "notes": list(written.notes)},
        lambda: click.echo(f"Wrote {written.config}. Next: pitfalls monitor run --config {written.config}"),
    )
    return 0


def _of_table(places: Places, description: TableDescription, out: Path, output: Output, *, force: bool) -> int:
    with _reference_place(places, output) as place:
        if places.is_one_log:
            description = _judged_after(Path(place), description, output)
        adopted = init_monitor(place, description, out=out, clock=lambda: datetime.now(UTC), force=force)
    for warning in adopted.warnings:
        output.progress(f"Check: {warning}", level="warning")
    for note in adopted.notes:
        output.progress(note)
    output.finish(_document(adopted), lambda: _show(adopted, places.traffic))
    return 0


class Places(NamedTuple):
    """Where the reference's rows are, and the live ones: files, URLs, or databases with their queries."""

    reference: str | None
    query: str | None
    log: str | None
    log_columns: tuple[str, ...] | None
    traffic: str | None
    live_query: str | None
    live_labels: str | None

    @property
    def is_one_log(self) -> bool:
        """Whether live rows are added to the log that the reference is of."""
        return self.log is not None and self.reference == self.traffic

    def settings(self, out: Path) -> dict[str, dict[str, Any]]:
        """Where live rows and their labels are, as the config writes it: paths relative to its own folder."""
        is_database = self.traffic is not None and _is_database(self.traffic)
        if is_database != (self.live_query is not None):
            raise BadInput(
                "Live rows of a database need its URL and a query.",
                got=f"--traffic {shown_url(str(self.traffic))}, and no --live-query"
                if is_database
                else "--live-query alone",
                expected="--traffic with the URL of a database, and --live-query",
                fix="Add --live-query 'SELECT * FROM predictions WHERE event_time >= :start AND event_time < :end', or "
                "--live-query @FILE."
                if is_database
                else "Add --traffic with the URL of the database.",
            )
        section: dict[str, Any] = {} if self.traffic is None else {"path": self._path(self.traffic, out)}
        if self.log is not None:
            section |= {"log": self.log, "log_columns": list(self.log_columns or ())}
        if self.live_query is not None:
            section["query"] = _statement(self.live_query)
        if self.live_labels is not None and is_database:
            section["labels_query"] = _statement(self.live_labels)
        elif self.live_labels is not None:
            section["labels"] = (
                self.live_labels if is_url(self.live_labels) else as_written(Path(self.live_labels), out)
            )
        return {"traffic": section}

    @staticmethod
    def _path(traffic: str, out: Path) -> str:
        """The place of live rows: files of the current folder relative to the config's."""
        scheme, slashes, file = traffic.partition(":///")
        if slashes and scheme.partition("+")[0] in ("sqlite", "duckdb"):
            return f"{scheme}:///{as_written(Path(file), out)}"
        return traffic if is_url(traffic) else as_written(Path(traffic), out)


@contextmanager
def _reference_place(places: Places, output: Output) -> Iterator[Path | str]:
    """Where the reference's rows are; those of a query, in a temporary file."""
    reference = str(places.reference)
    if places.log is not None:
        with tempfile.TemporaryDirectory(prefix="pitfalls-") as made:
            counts = convert_log(log_files(reference), places.log, Path(made), names=places.log_columns or ())
            output.progress(
                f"The log has {counts.rows:,} rows of {counts.calls:,} calls, and {counts.labels:,} labels."
            )
            for remark in counts.remarks():
                output.progress(remark)
            with_labels(Path(made), Path(made, "log.parquet"))
            yield Path(made, "log.parquet")
        return
    if places.query is None:
        yield reference if is_url(reference) else Path(reference)
        return

    with tempfile.TemporaryDirectory(prefix="pitfalls-") as folder:
        target = Path(folder, "query.parquet")
        rows = query_to_parquet(SqlQuery(url=reference, text=_statement(places.query)), target)
        output.progress(f"The query has {rows:,} rows ({shown_url(reference)}).")
        yield target


def _of_one_log(path: str, bundle: Path | None, places: Places) -> Places:
    """A log as the reference and as the place of live rows. Raises BadInput for flags that say another."""
    given = [flag for flag in ("reference", "traffic", "query", "live_query") if getattr(places, flag) is not None]
    if places.log is None or given or bundle is not None:
        options = [f"--{flag.replace('_', '-')}" for flag in given] + (["--bundle"] if bundle is not None else [])
        raise BadInput(
            "A path by itself is one log of another server.",
            got=f"{shown_url(path)} {'without --log' if places.log is None else 'and ' + ', '.join(options)}",
            expected="--log FORMAT PATH; or --reference and --traffic, each with its path",
            fix="Add --log FORMAT, or name the path by --reference."
            if places.log is None
            else "Leave the path out, or those flags.",
        )
    return places._replace(reference=path, traffic=path)


def _judged_after(rows: Path, description: TableDescription, output: Output) -> TableDescription:
    """The description with the end of the last window that a log has rows in, from which on windows are judged."""
    times = pq.read_table(rows, columns=[EVENT_TIME])[EVENT_TIME]
    last = pc.max(times.filter(pc.less_equal(times, pa.scalar(datetime.now(UTC), times.type)))).as_py()
    if last is None or description.config.baseline.since is not None:
        return description
    since = last + timedelta(microseconds=1)
    if description.windows.rows is None:
        plan = CalendarPlan(every=description.windows.every, timezone=description.windows.timezone)
        since = plan.windows(last, last)[-1].end.astimezone(UTC)
    output.progress(f"The log's rows so far are the reference: windows from {since:%Y-%m-%dT%H:%M}Z on are judged.")
    return description.changed("baseline", since=since)


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


def _check(bundle: Path | None, places: Places) -> None:
    reference = places.reference
    if (bundle is None) == (reference is None):
        raise BadInput(
            "A config needs either a bundle or a reference table.",
            got="neither" if bundle is None else "both",
            expected="--bundle, or --reference",
            fix="Give one of the two.",
        )
    if reference is not None and not places.query and _is_database(reference):
        raise BadInput(
            "A database needs a query.",
            got="--reference with the URL of a database",
            expected="--query, too",
            fix="Add --query 'SELECT time, score, label FROM …', or --query @FILE.",
        )
    context = click.get_current_context()
    given = [param for param in context.command.params if context.params.get(str(param.name)) not in (None, (), False)]
    options = [param.opts[0] for param in given if param.name not in WITH_BUNDLE]
    if bundle is not None and (places.traffic is None or options):
        raise BadInput(
            "--bundle takes --traffic and no column flags.",
            got=f"{', '.join(options)}" if options else "no --traffic",
            expected="--bundle and --traffic",
            fix="Name the folder of the traffic log with --traffic; column flags go with --reference.",
        )


def _check_batches(flags: Mapping[str, Any], places: Places) -> None:
    """Raises BadInput for batches beside times or another cut."""
    given = {**flags, "live_query": places.live_query}
    names = ("by_file", "batch_column", "rows", "event_time", "live_query")
    options = [f"--{name.replace('_', '-')}" for name in names if given[name]]
    if len(options) > 1 and (flags["by_file"] or flags["batch_column"]):
        raise BadInput(
            "Batches stand in place of event times, in files.",
            got=" and ".join(options),
            expected="one of --by-file and --batch-column, without --event-time, --rows and --live-query",
            fix="Leave the others out.",
        )


def _is_database(place: str) -> bool:
    return place.partition("://")[0].partition("+")[0] in DATABASES


def _metric(text: str) -> MetricDraft:
    name, equals, place = text.partition("=")
    function, *inputs = COLUMNS.convert(place, None, None) or ("",)
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
        "warnings": list(adopted.warnings),
        "notes": list(adopted.notes),
    }


def _show(adopted: InitResult, traffic: str | None) -> None:
    text = (
        f"Wrote {adopted.config}: a baseline of {adopted.rows:,} rows in {adopted.windows} windows,"
        f" {len(adopted.inputs)} inputs, " + _answers(adopted)
    )
    for line in _columns(adopted):
        click.echo(one_line(line))
    click.echo(printable(text))
    where = "" if traffic is not None else " --traffic 'live/*'"
    click.echo(f"Next: pitfalls monitor run --config {adopted.config}{where}")


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
        yield one_line(f"  {column.name:<{names}}  {column.role:<13}  {what}").rstrip()
    if len(adopted.columns) > LISTED:
        yield f"  … and {len(adopted.columns) - LISTED:,} more: --json lists all."
