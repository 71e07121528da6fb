"""A query of a database that SQLAlchemy reaches, as a relation that sums in SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType
from typing import Final

import pyarrow as pa

from monitoring.jobs.engines.sql_relation import DIALECTS, ROWS, batches_of, condition, dialect_of
from monitoring.traffic.remote.sql_query import SqlQuery, columns_of_query, tables_of_query, within

_DOUBLE, _TEXT, _WHOLE = pa.float64(), pa.string(), pa.int64()

#: Types of PostgreSQL by their number, as its rows come: decimals as doubles, other types as text.
_POSTGRESQL: Final = MappingProxyType(
    {
        16: pa.bool_(),
        **dict.fromkeys((20, 21, 23), _WHOLE),
        **dict.fromkeys((700, 701, 1700), _DOUBLE),
        1082: pa.date32(),
        1114: pa.timestamp("us"),
        1184: pa.timestamp("us", "UTC"),
    }
)

#: A float of four bytes in PostgreSQL, whose text has fewer digits than its value as a double.
_FLOAT4 = 700


class DatabaseRelation:
    """Rows of a database. A `monitoring.jobs.engines.sql_relation.SqlRelation`."""

    def __init__(
        self, query: SqlQuery, event_time: str, prediction_id: str, *, meanwhile: Callable[[], None] = lambda: None
    ) -> None:
        """Reads nothing yet."""
        self.dialect = dialect_of(query.url)
        self.event_time, self.prediction_id = event_time, prediction_id
        self.query, self._meanwhile = query, meanwhile

    @cached_property
    def schema(self) -> pa.Schema:
        """See `Relation`."""
        if self.dialect is DIALECTS["postgresql"]:
            return pa.schema([(name, _POSTGRESQL.get(code, _TEXT)) for name, code in self._codes.items()])
        largest = (f"max({self.dialect.quoted(name)}) AS {self.dialect.quoted(name)}" for name in self._codes)
        schema: pa.Schema = self.table(f"SELECT {', '.join(largest)} FROM {ROWS}").schema
        return schema

    @cached_property
    def _codes(self) -> dict[str, object]:
        """The columns, and what the driver calls their types."""
        return columns_of_query(self._statement(f"SELECT * FROM {ROWS} LIMIT 0"))

    def batches(
        self, names: Sequence[str], *, between: tuple[int, int] | None = None, ids: Sequence[str] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """See `Relation`."""
        chosen = ", ".join(map(self._cell, names))
        statement = self._statement(f"SELECT {chosen} FROM {ROWS} WHERE {condition(self, between, ids)}")
        for batch in batches_of(tables_of_query(statement), self.schema):
            self._meanwhile()
            yield batch

    def table(self, text: str) -> pa.Table:
        """See `SqlRelation`."""
        statement = self._statement(text)
        return within(
            self.query.seconds,
            lambda _: pa.concat_tables(tables_of_query(statement), promote_options="permissive"),
            meanwhile=self._meanwhile,
        )

    def _cell(self, name: str) -> str:
        quoted = self.dialect.quoted(name)
        if self.dialect is DIALECTS["postgresql"] and self._codes[name] == _FLOAT4:
            return f"{self.dialect.double.format(quoted)} AS {quoted}"
        return quoted

    def _statement(self, text: str) -> SqlQuery:
        return replace(self.query, text=f"WITH {ROWS} AS ({self.query.text}) {text}")
