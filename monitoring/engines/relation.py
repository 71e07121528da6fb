"""Rows that stay where they are: a relation of a warehouse or a cluster, of which only some columns are asked for."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from monitoring.errors import BadInput
from monitoring.traffic.cells import is_number, is_text
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.extents import EventTimeRange
from monitoring.traffic.tables.files import pieces_of
from monitoring.traffic.tables.table import Table

#: Ids that several rows share, at most: these rows are brought here, and compared as those of a file are.
MOST_SHARED_IDS = 10_000

#: Rows of a row group that is written here.
_GROUP = 1 << 16


class Relation(Protocol):
    """A table that is elsewhere."""

    @property
    def schema(self) -> pa.Schema:
        """Its columns, by the types that their rows come with."""

    def batches(
        self, names: Sequence[str], *, between: tuple[int, int] | None = None, ids: Sequence[str] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Some columns of its rows.

        Args:
            between: Event times from the first, and before the second, in microseconds; None: all.
            ids: Ids of the rows, as text; None: all.
        """


def write_rows(relation: Relation, target: Path, names: Sequence[str], **which: object) -> Path:
    """Some columns of a relation's rows as a Parquet file, batch by batch."""
    relation_schema = relation.schema
    schema = pa.schema([relation_schema.field(name) for name in names])
    with pq.ParquetWriter(target, schema) as writer:
        for batch in relation.batches(names, **which):  # type: ignore[arg-type]  # its own keywords, passed on
            table = pa.Table.from_batches([batch]).select(list(names)).cast(schema)
            if table.num_rows:
                writer.write_table(table, row_group_size=_GROUP)
    return target


def check_relation(schema: pa.Schema, columns: TableColumns) -> None:
    """Check that rows of a relation can be known again and placed in time."""
    ids = schema.field(columns.prediction_id).type if columns.prediction_id in schema.names else None
    if ids is None or not (is_text(ids) or is_number(ids)):
        raise BadInput(
            "The rows have no ids, so that none is known again when it is read a second time.",
            got=f"no column {columns.prediction_id} of text or whole numbers; columns: {', '.join(schema.names)}",
            expected="an id in every row, which no other prediction has",
            fix="Name the column, prediction_id in the [traffic] section, or add one.",
        )
    when = schema.field(columns.event_time).type if columns.event_time in schema.names else None
    if when is None or not pa.types.is_timestamp(when):
        raise BadInput(
            "The event times are no times.",
            got=f"{columns.event_time}: {'absent' if when is None else when}",
            expected="a column of timestamps",
            fix=f"Cast it where the rows are: CAST({columns.event_time} AS TIMESTAMP).",
        )
    if when.tz is None and columns.naive_timezone != "UTC":
        raise BadInput(
            "Event times without a zone are taken as UTC where the rows are.",
            got=f"{columns.event_time} without a zone, and naive_timezone = {columns.naive_timezone!r}",
            expected="times with a zone, or in UTC",
            fix="Convert them in the query: to a timestamp with time zone.",
        )


def shared_ids(path: Path, columns: TableColumns) -> list[str]:
    """The ids that occur more than once among copied rows, as text. Memory: eight bytes a row."""
    with pq.ParquetFile(path) as file:
        nulls = sum(batch.column(0).null_count for batch in file.iter_batches(columns=[columns.prediction_id]))
        if nulls:
            raise BadInput(
                "Some rows have no id, so that they are not known again when they are read a second time.",
                got=f"{nulls:,} of {file.metadata.num_rows:,} rows without one",
                expected="an id in every row",
                fix="Leave these rows out, or give them ids.",
            )
    table = Table.of(pieces_of(path), columns)
    keys, _ = table.ids.twice(table.extents, table.inside)
    if keys.size > MOST_SHARED_IDS:
        raise BadInput(
            "Too many rows share their id with another to be compared one by one.",
            got=f"{keys.size:,} ids of several rows",
            expected=f"at most {MOST_SHARED_IDS:,}: ids are unique per prediction",
            fix='Remove the repeats where the rows are, or read them by the engine "local".',
        )
    words = [rows.ids for _, rows in table.ids.having(table.extents, table.inside, keys)]
    counts = pc.value_counts(pa.concat_arrays([pa.array([], pa.large_string()), *words]))
    repeated: list[str] = counts.field("values").filter(pc.greater(counts.field("counts"), 1)).to_pylist()
    return sorted(repeated)


@contextmanager
def shared_rows(
    relation: Relation, ids: Sequence[str], columns: TableColumns, inside: EventTimeRange
) -> Iterator[Table | None]:
    """All rows of some ids as a table, of which repeats do not count.

    Yields:
        The table; None without ids. Its files are deleted at the end.
    """
    if not ids:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="pitfalls-") as folder:
        names = [name for name in relation.schema.names if name in columns.read]
        path = write_rows(relation, Path(folder, "shared.parquet"), names, ids=ids)
        yield Table.of(pieces_of(path), columns, inside=inside)
