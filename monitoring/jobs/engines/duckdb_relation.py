"""A relation of DuckDB: a query on a database file, or a relation in the user's own session."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from monitoring.errors import BadInput, CannotRun
from monitoring.jobs.engines.sql_relation import DIALECTS, ROWS, condition

#: Rows that come at once.
_BATCH_ROWS = 1 << 16


class DuckDBRelation:
    """Rows of DuckDB. A `monitoring.jobs.engines.sql_relation.SqlRelation`."""

    dialect = DIALECTS["duckdb"]

    def __init__(self, run: Callable[[str], Any], event_time: str, prediction_id: str) -> None:
        """Reads nothing yet."""
        self._run, self.event_time, self.prediction_id = run, event_time, prediction_id
        self._schema: pa.Schema | None = None

    @classmethod
    def of(cls, relation: Any, event_time: str, prediction_id: str) -> DuckDBRelation:
        """A relation that the user has, in its own session."""
        return cls(lambda text: relation.query(ROWS, text), event_time, prediction_id)

    @classmethod
    def of_file(cls, path: str, query: str, event_time: str, prediction_id: str) -> DuckDBRelation:
        """A query on a database file, which is opened for reading."""
        try:
            duckdb = importlib.import_module("duckdb")
        except ImportError as error:
            raise BadInput(
                "A DuckDB database is read by the library duckdb, which is not installed.",
                got=path,
                expected="duckdb",
                fix="pip install 'pitfalls-tf[sql]'",
            ) from error
        try:
            connection = duckdb.connect(path, read_only=True)
            connection.execute("SET TimeZone = 'UTC'")
        except duckdb.Error as error:
            raise CannotRun(
                "The database cannot be opened.",
                got=f"{path}: {str(error).splitlines()[0]}",
                expected="a DuckDB database file that no other process writes to",
                fix="Check the path; let what writes to it close it first.",
            ) from error

        def run(text: str) -> Any:
            try:
                return connection.sql(f"WITH {ROWS} AS ({query}) {text}")
            except duckdb.Error as error:
                raise BadInput(
                    "The query of the [traffic] section is refused.",
                    got=str(error).splitlines()[0],
                    expected="one SELECT statement",
                    fix="Try it in DuckDB first.",
                ) from error

        return cls(run, event_time, prediction_id)

    @property
    def schema(self) -> pa.Schema:
        """See `Relation`."""
        if self._schema is None:
            self._schema = self.table(f"SELECT * FROM {ROWS} LIMIT 0").schema
        return self._schema

    def batches(
        self, names: Sequence[str], *, between: tuple[int, int] | None = None, ids: Sequence[str] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """See `Relation`."""
        chosen = ", ".join(map(self.dialect.quoted, names))
        where = condition(self, between, ids)
        reader = _reader(self._run(f"SELECT {chosen} FROM {ROWS} WHERE {where}"))
        for batch in reader:
            yield pa.RecordBatch.from_arrays(
                [column.cast(field.type) for column, field in zip(batch.columns, reader.schema, strict=True)],
                schema=reader.schema,
            )

    def table(self, text: str) -> pa.Table:
        """The result of a statement on `ROWS`."""
        return _reader(self._run(text)).read_all()


def _reader(result: Any) -> pa.RecordBatchReader:
    take = getattr(result, "to_arrow_reader", None) or result.fetch_record_batch
    return take(_BATCH_ROWS)
