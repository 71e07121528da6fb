"""Rows of a database as runs read them: copied for one run, within the times that it asks for."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import pyarrow as pa

from monitoring.atomic import scratch_folder
from monitoring.config.traffic_section import TrafficSection
from monitoring.errors import BadInput, CannotRun
from monitoring.notifications.routes.secret import read_secret
from monitoring.sources.read_scope import ReadScope
from monitoring.traffic.cells import is_list, is_number, is_text
from monitoring.traffic.remote.sql_query import SqlQuery, query_to_parquet
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.extents import AHEAD

#: Added on both sides of the times that are asked for: a database may hold times of any zone, or as text.
MARGIN = timedelta(days=1)

#: The first time that is asked for where rows of all times are of interest.
FIRST = datetime(1900, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseCopy:
    """Rows of a database in files."""

    held: ExitStack
    rows: Path
    labels: Path | None = None

    def remove(self) -> None:
        """Delete the files."""
        self.held.close()


def copy_database(
    traffic: TrafficSection,
    columns: TableColumns,
    scope: ReadScope,
    *,
    now: datetime,
    meanwhile: Callable[[], None] = lambda: None,
) -> DatabaseCopy:
    """Run the queries of a config, and write what they give to files in a temporary folder.

    Names and types are checked with the first rows. Memory: some 50,000 rows.

    Args:
        now: the time; rows more than two days ahead of it are not asked for.
    """
    bounds = {"start": FIRST if scope.since is None else scope.since - MARGIN, "end": now + AHEAD + MARGIN}
    password = read_secret(traffic.password_file, traffic.password_env)
    held = ExitStack()
    try:
        folder = held.enter_context(scratch_folder())
    except OSError as error:
        _reject_disk(error)
    copy = DatabaseCopy(
        held=held,
        rows=folder / "query.parquet",
        labels=None if traffic.labels_query is None else folder / "labels_query.parquet",
    )

    def run(text: str, target: Path, check: Callable[[pa.Schema], None]) -> None:
        query = SqlQuery(
            url=str(traffic.path),
            text=text,
            bounds=bounds,
            password=password,
            seconds=traffic.query_timeout.total_seconds(),
            snapshot=scope.snapshot,
        )
        query_to_parquet(query, target, check=check, meanwhile=meanwhile)

    try:
        run(traffic.query or "", copy.rows, lambda schema: _check_rows(schema, columns))
        if copy.labels is not None:
            run(traffic.labels_query or "", copy.labels, lambda schema: _check_labels(schema, columns))
    except BaseException as error:
        copy.remove()
        if isinstance(error, OSError):
            _reject_disk(error)
        raise
    return copy


def _reject_disk(error: OSError) -> NoReturn:
    raise CannotRun(
        "The rows of the database cannot be copied.",
        got=f"{tempfile.gettempdir()}: {error.strerror or error}",
        expected="a folder for temporary files with room for the rows of two label horizons",
        fix="Free space there, or name another folder in the variable TMPDIR; nothing was judged.",
    ) from error


def _check_rows(schema: pa.Schema, columns: TableColumns) -> None:
    problems = [*_ids(schema, columns), *_times(schema, columns.event_time)]
    scored = (output for output in (columns, *columns.outputs.values()) if output.predicted is None)
    numbers = [name for output in scored for name in output.scores]
    described = dict.fromkeys(each.source for each in columns.described)
    for name in (*columns.answer, *columns.plain_inputs, *described):
        number = name in numbers or columns.plain_inputs.get(name) == "number"
        problems += _column(schema, name, number=number)
    _refuse("query", schema, problems)


def _check_labels(schema: pa.Schema, columns: TableColumns) -> None:
    problems = _ids(schema, columns)
    for name in columns.label_cells:
        problems += _column(schema, name)
    if columns.label_time in schema.names:
        problems += _times(schema, columns.label_time)
    _refuse("labels_query", schema, problems)


def _ids(schema: pa.Schema, columns: TableColumns) -> list[str]:
    """What is wrong with the ids, without which a row is not known again."""
    problems = _column(schema, columns.prediction_id)
    kind = None if problems else schema.field(columns.prediction_id).type
    if kind is not None and not (is_text(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind)):
        return [f"{columns.prediction_id} has {kind}, not text or whole numbers"]
    return problems


def _times(schema: pa.Schema, name: str) -> list[str]:
    problems = _column(schema, name)
    kind = None if problems else schema.field(name).type
    fits = kind is None or is_text(kind) or pa.types.is_temporal(kind) or pa.types.is_null(kind)
    return problems if fits else [f"{name} has {kind}, not times"]


def _column(schema: pa.Schema, name: str, *, number: bool = False) -> list[str]:
    if name not in schema.names:
        return [f"no column {name}"]
    kind = schema.field(name).type
    if number and not (is_number(kind) or is_list(kind) or pa.types.is_null(kind)):
        return [f"{name} has {kind}, not numbers"]
    return []


def _refuse(name: str, schema: pa.Schema, problems: list[str]) -> None:
    """Raises BadInput for all that is wrong, at once."""
    if problems:
        raise BadInput(
            f"The {name} of the [traffic] section does not give what is needed.",
            got=f"{'; '.join(problems)}. Its columns: {', '.join(schema.names)}",
            expected="the columns that the baseline and the [traffic] section name, with their types",
            fix="Give them by these names: SELECT made_at AS event_time, …",
        )
