"""A relation that sums in SQL, and what each database calls the few functions that this takes."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final, Protocol

import pyarrow as pa
from typing_extensions import override

from monitoring.engines.relation import Relation
from monitoring.errors import BadInput, CannotRun
from monitoring.timestamps import as_datetime, as_microseconds
from monitoring.traffic.remote.duckdb_query import fix_of, import_duckdb, open_duckdb
from monitoring.traffic.remote.sql_query import SqlQuery, columns_of_query, tables_of_query, within

#: What the rows are called in a statement.
ROWS = "pitfalls_rows"

_DOUBLE_QUOTE, _APOSTROPHE = chr(34), chr(39)

#: By how much a plain range is wider than its span, and where it may begin and end: all zones, and four-digit years.
_MARGIN_US = 2 * 86_400_000_000
_PLAIN_FROM_US, _PLAIN_UNTIL_US = (as_microseconds(datetime(year, 1, 1, tzinfo=UTC)) for year in (1000, 9999))


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a database writes what differs between databases: templates with the place of their argument.

    Attributes:
        microseconds: A time as microseconds since 1970 in UTC; one without a zone is in UTC.
        of_nanoseconds: The same of nanoseconds with a zone, where that is another function; empty where it is not.
        is_nan: Whether a double is NaN.
        is_finite: Whether a double that is not NaN is finite.
        utf8: A text as its bytes in UTF-8, which have no collation.
        literal: A double to the last bit, written as Python does.
        largest: Mean and variance take numbers beyond it as it, where the database does not add up beyond; None: none.
        has_plain_times: Whether a column of times is compared with ISO 8601 in apostrophes, which an index answers.
        fence: What ends a subquery that is computed once for each of its rows, and not again where it is used.
        experimental: Whether no test runs the statements on the database.
    """

    name: str
    microseconds: str
    double: str
    is_nan: str
    is_finite: str
    utf8: str
    text: str
    literal: str
    mark: str = _DOUBLE_QUOTE
    inner: str = 2 * _DOUBLE_QUOTE
    escape: str = _APOSTROPHE
    largest: float | None = None
    has_plain_times: bool = False
    fence: str = ""
    experimental: bool = False
    of_nanoseconds: str = ""

    def quoted(self, name: str) -> str:
        """A column's name.

        >>> DIALECTS["duckdb"].quoted('the "age"') == chr(34) + "the " + 2 * chr(34) + "age" + 3 * chr(34)
        True
        """
        return f"{self.mark}{name.replace(self.mark, self.inner)}{self.mark}"

    def listed(self, words: Sequence[str]) -> str:
        """Texts, as a list.

        >>> DIALECTS["duckdb"].listed(["a", "it's"])
        "'a', 'it''s'"
        """
        return ", ".join(f"'{self._escaped(word)}'" for word in words)

    def _escaped(self, word: str) -> str:
        if self.escape == "\\":
            word = word.replace("\\", "\\\\")
        return word.replace(_APOSTROPHE, f"{self.escape}{_APOSTROPHE}")

    def number(self, value: float) -> str:
        """A double, to the last bit: a plain 0.1 is a decimal in SQL.

        >>> DIALECTS["duckdb"].number(0.1), DIALECTS["postgresql"].number(-2.0)
        ("'0.1'::DOUBLE", "CAST('-2.0' AS float8)")
        """
        return self.literal.format(repr(float(value)))


#: The dialects, by what the URL of a database begins with. Statements of those that are experimental were never run:
#: they are compared with what the databases' grammars take.
DIALECTS: Final[Mapping[str, Dialect]] = MappingProxyType(
    {
        "duckdb": Dialect(
            name="DuckDB",
            microseconds="epoch_us({})",
            of_nanoseconds="epoch_us(make_timestamp_ns(epoch_ns({})))",
            double="CAST({} AS DOUBLE)",
            is_nan="isnan({})",
            is_finite="isfinite({})",
            utf8="encode(CAST({} AS VARCHAR))",
            text="VARCHAR",
            literal="'{}'::DOUBLE",
        ),
        "postgresql": Dialect(
            name="PostgreSQL",
            microseconds="CAST(EXTRACT(EPOCH FROM {}) * 1000000 AS bigint)",
            double="CAST({} AS float8)",
            is_nan="{} = CAST('NaN' AS float8)",
            is_finite="{} NOT IN (CAST('Infinity' AS float8), CAST('-Infinity' AS float8))",
            utf8="CASE WHEN {0} IS NOT NULL THEN convert_to(concat({0}), 'UTF8') END",  # of enum, uuid, char(n) too
            text="text",
            literal="CAST('{}' AS float8)",
            largest=1e140,  # it ends a statement whose squares are beyond a double
            has_plain_times=True,
            fence="OFFSET 0",
        ),
        "bigquery": Dialect(
            name="BigQuery",
            experimental=True,
            microseconds="UNIX_MICROS(CAST({} AS TIMESTAMP))",
            double="CAST({} AS FLOAT64)",
            is_nan="IS_NAN({})",
            is_finite="NOT IS_INF({})",
            utf8="CAST({} AS BYTES)",
            text="STRING",
            literal="CAST('{}' AS FLOAT64)",
            mark="`",
            inner="\\`",
            escape="\\",
        ),
        "snowflake": Dialect(
            name="Snowflake",
            experimental=True,
            microseconds="DATE_PART(EPOCH_MICROSECOND, {})",
            double="CAST({} AS DOUBLE)",
            is_nan="{} = CAST('NaN' AS DOUBLE)",
            is_finite="{} NOT IN (CAST('inf' AS DOUBLE), CAST('-inf' AS DOUBLE))",
            utf8="TO_BINARY({}, 'UTF-8')",
            text="VARCHAR",
            literal="CAST('{}' AS DOUBLE)",
            escape="\\",
        ),
        "databricks": Dialect(
            name="Databricks",
            experimental=True,
            microseconds="UNIX_MICROS(CAST({} AS TIMESTAMP))",
            double="CAST({} AS DOUBLE)",
            is_nan="ISNAN({})",
            is_finite="{} NOT IN (CAST('Infinity' AS DOUBLE), CAST('-Infinity' AS DOUBLE))",
            utf8="ENCODE({}, 'UTF-8')",
            text="STRING",
            literal="CAST('{}' AS DOUBLE)",
            mark="`",
            inner="``",
            escape="\\",
        ),
    }
)


def scheme_of(url: str) -> str:
    """The kind of database of a URL, without its driver."""
    return url.partition(":")[0].partition("+")[0]


def dialect_of(url: str) -> Dialect:
    """The dialect of a database's URL.

    >>> dialect_of("postgresql+psycopg://reader@host/scores").name
    'PostgreSQL'
    """
    name = scheme_of(url)
    if name not in DIALECTS:
        raise BadInput(
            'The engine "sql" does not know how this database sums windows up.',
            got=f"a database of {name}",
            expected=f"one of {', '.join(each.name for each in DIALECTS.values())}",
            fix='Remove `kind` from the [engine] section: the rows are fetched, and read by "local".',
        )
    return DIALECTS[name]


class SqlRelation(Relation, Protocol):
    """A relation that answers statements on `ROWS` in its dialect."""

    dialect: Dialect
    event_time: str
    prediction_id: str

    def table(self, text: str) -> pa.Table:
        """The result of a statement on `ROWS`."""

    def listed(self, ids: Sequence[str]) -> str:
        """Ids as a list in a statement on `ROWS`."""
        return self.dialect.listed(ids)


def condition(
    relation: SqlRelation,
    between: tuple[int, int] | None,
    ids: Sequence[str] | None = None,
    *,
    without: Sequence[str] = (),
) -> str:
    """A condition on event times in microseconds, and on ids; rows without a time are left out of any span."""
    dialect, when = relation.dialect, event_microseconds(relation)
    name = f"CAST({dialect.quoted(relation.prediction_id)} AS {dialect.text})"
    parts = []
    if between is not None:
        parts += [*_plain_range(relation, between), f"{when} >= {between[0]} AND {when} < {between[1]}"]
    if ids is not None:
        parts.append(f"{name} IN ({relation.listed(ids)})" if ids else "1 = 0")
    if without:
        parts.append(f"{name} NOT IN ({relation.listed(without)})")
    return " AND ".join(parts) or "1 = 1"


def event_microseconds(relation: SqlRelation) -> str:
    """The event time of a row as microseconds since 1970."""
    dialect, kind = relation.dialect, relation.schema.field(relation.event_time).type
    is_long = pa.types.is_timestamp(kind) and kind.unit == "ns" and kind.tz is not None
    template = dialect.of_nanoseconds if is_long and dialect.of_nanoseconds else dialect.microseconds
    return template.format(dialect.quoted(relation.event_time))


def _plain_range(relation: SqlRelation, between: tuple[int, int]) -> list[str]:
    """The same span, wider by more than any zone's offset, as an index of the event time answers it."""
    kind = relation.schema.field(relation.event_time).type
    if not relation.dialect.has_plain_times or not (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
        return []
    name = relation.dialect.quoted(relation.event_time)
    first, last = between[0] - _MARGIN_US, between[1] + _MARGIN_US
    if first < _PLAIN_FROM_US or last > _PLAIN_UNTIL_US:
        return []
    return [f"{name} >= '{as_datetime(first):%Y-%m-%d}' AND {name} < '{as_datetime(last):%Y-%m-%d}'"]


def number_cell(relation: SqlRelation, feature: str) -> str:
    """A column as doubles; of booleans as 0 and 1."""
    dialect, name = relation.dialect, relation.dialect.quoted(feature)
    if pa.types.is_boolean(relation.schema.field(feature).type):
        name = f"CASE WHEN {name} THEN 1 WHEN NOT {name} THEN 0 END"
    return dialect.double.format(name)


def batches_of(tables: Iterator[pa.Table], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Tables as batches of the types that their relation says."""
    for table in tables:
        kinds = pa.schema([schema.field(name) for name in table.column_names])
        yield from table.cast(kinds).to_batches()


#: Rows that come at once.
_BATCH_ROWS = 1 << 16


class DuckDBRelation(SqlRelation):
    """Rows of DuckDB. A `monitoring.engines.sql_relation.SqlRelation`."""

    dialect = DIALECTS["duckdb"]

    def __init__(
        self,
        run: Callable[[str], Any],
        event_time: str,
        prediction_id: str,
        *,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        """Reads nothing yet."""
        self._run, self.event_time, self.prediction_id = run, event_time, prediction_id
        self._meanwhile = meanwhile
        self._schema: pa.Schema | None = None

    @classmethod
    def of(
        cls, relation: Any, event_time: str, prediction_id: str, *, meanwhile: Callable[[], None] = lambda: None
    ) -> DuckDBRelation:
        """A relation that the user has, in its own session."""
        return cls(lambda text: relation.query(ROWS, text), event_time, prediction_id, meanwhile=meanwhile)

    @classmethod
    def of_file(
        cls, path: str, query: str, event_time: str, prediction_id: str, *, meanwhile: Callable[[], None] = lambda: None
    ) -> DuckDBRelation:
        """A query on a database file, which is opened for reading."""
        duckdb = import_duckdb(path)
        try:
            connection = open_duckdb(path, query)
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
                    fix=fix_of(error, "Try it in DuckDB first."),
                ) from error

        return cls(run, event_time, prediction_id, meanwhile=meanwhile)

    @property
    @override
    def schema(self) -> pa.Schema:
        if self._schema is None:
            self._schema = self.table(f"SELECT * FROM {ROWS} LIMIT 0").schema
        return self._schema

    @override
    def batches(
        self, names: Sequence[str], *, between: tuple[int, int] | None = None, ids: Sequence[str] | None = None
    ) -> Iterator[pa.RecordBatch]:
        chosen = ", ".join(map(self.dialect.quoted, names))
        where = condition(self, between, ids)
        reader = _reader(self._run(f"SELECT {chosen} FROM {ROWS} WHERE {where}"))
        for batch in reader:
            self._meanwhile()
            yield pa.RecordBatch.from_arrays(
                [column.cast(field.type) for column, field in zip(batch.columns, reader.schema, strict=True)],
                schema=reader.schema,
            )

    def table(self, text: str) -> pa.Table:
        """The result of a statement on `ROWS`, which runs in a thread of its own."""
        return within(math.inf, lambda _: _reader(self._run(text)).read_all(), meanwhile=self._meanwhile)


@contextmanager
def transaction(relation: Any) -> Iterator[None]:
    """A transaction in the session of a relation of DuckDB, whose rows stay as they are meanwhile; or the user's own.

    Where a statement has failed DuckDB ends it by a rollback of the user alone, and says so.
    """
    current = (relation.query(ROWS, "SELECT txid_current()").fetchall() for _ in range(2))
    if next(current) == next(current):
        yield
        return
    relation.query(ROWS, "BEGIN TRANSACTION")
    try:
        yield
    finally:
        with suppress(import_duckdb("a relation of DuckDB").TransactionException):
            relation.query(ROWS, "COMMIT")


def _reader(result: Any) -> pa.RecordBatchReader:
    take = getattr(result, "to_arrow_reader", None) or result.fetch_record_batch
    return take(_BATCH_ROWS)


_DOUBLE, _TEXT, _WHOLE = pa.float64(), pa.string(), pa.int64()

#: Types of PostgreSQL by their number, as its rows come: decimals as doubles, other types as text.
_POSTGRESQL: Final = MappingProxyType(
    {
        16: pa.bool_(),
        17: pa.binary(),
        **dict.fromkeys((20, 21, 23), _WHOLE),
        **dict.fromkeys((700, 701, 1700), _DOUBLE),
        1082: pa.date32(),
        1114: pa.timestamp("us"),
        1184: pa.timestamp("us", "UTC"),
    }
)

#: A parameter of `DatabaseRelation.listed`.
_LISTED: Final = re.compile(r":(id_[0-9a-f]{64})\b")
#: A float of four bytes in PostgreSQL, whose text has fewer digits than its value as a double.
_FLOAT4 = 700


class DatabaseRelation(SqlRelation):
    """Rows of a database. A `monitoring.engines.sql_relation.SqlRelation`."""

    def __init__(
        self, query: SqlQuery, event_time: str, prediction_id: str, *, meanwhile: Callable[[], None] = lambda: None
    ) -> None:
        """Reads nothing yet."""
        self.dialect = dialect_of(query.url)
        self.event_time, self.prediction_id = event_time, prediction_id
        self.query, self._meanwhile = query, meanwhile
        self._listed: dict[str, str] = {}

    @cached_property
    @override
    def schema(self) -> pa.Schema:
        if self.dialect is DIALECTS["postgresql"]:
            return pa.schema([(name, _POSTGRESQL.get(code, _TEXT)) for name, code in self._codes.items()])
        largest = (f"max({self.dialect.quoted(name)}) AS {self.dialect.quoted(name)}" for name in self._codes)
        schema: pa.Schema = self.table(f"SELECT {', '.join(largest)} FROM {ROWS}").schema
        return schema

    @cached_property
    def _codes(self) -> dict[str, object]:
        """The columns, and what the driver calls their types."""
        return columns_of_query(self._statement(f"SELECT * FROM {ROWS} LIMIT 0"))

    @override
    def batches(
        self, names: Sequence[str], *, between: tuple[int, int] | None = None, ids: Sequence[str] | None = None
    ) -> Iterator[pa.RecordBatch]:
        chosen = ", ".join(map(self._cell, names))
        statement = self._statement(f"SELECT {chosen} FROM {ROWS} WHERE {condition(self, between, ids)}")
        for batch in batches_of(tables_of_query(statement), self.schema):
            self._meanwhile()
            yield batch

    @override
    def table(self, text: str) -> pa.Table:
        statement = self._statement(text)
        return within(
            self.query.seconds,
            lambda _: pa.concat_tables(tables_of_query(statement), promote_options="permissive"),
            meanwhile=self._meanwhile,
        )

    @override
    def listed(self, ids: Sequence[str]) -> str:
        """Parameters, as what an id says is the clients' own."""
        names = [f"id_{hashlib.sha256(word.encode('utf-8', 'surrogatepass')).hexdigest()}" for word in ids]
        self._listed.update(zip(names, ids, strict=True))
        return ", ".join(f":{name}" for name in names)

    def _cell(self, name: str) -> str:
        quoted = self.dialect.quoted(name)
        if self.dialect is DIALECTS["postgresql"] and self._codes[name] == _FLOAT4:
            return f"{self.dialect.double.format(quoted)} AS {quoted}"
        return quoted

    def _statement(self, text: str) -> SqlQuery:
        ids = {name: self._listed[name] for name in _LISTED.findall(text)}
        return replace(self.query, text=f"WITH {ROWS} AS ({self.query.text}) {text}", texts=ids)
