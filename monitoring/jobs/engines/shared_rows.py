"""The rows of a relation that share their id with another: brought here, and compared as those of a file are."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from monitoring.jobs.engines.relation import Relation, write_rows
from monitoring.timestamps import as_datetime
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.extents import EventTimeRange
from monitoring.traffic.tables.files import pieces_of
from monitoring.traffic.tables.table import Table


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
        since = None if inside.first is None else as_datetime(inside.first)
        table = Table(pieces_of(path), columns, since=since)
        table.inside = inside
        yield table
