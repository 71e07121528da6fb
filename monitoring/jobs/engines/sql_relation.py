"""A relation that sums in SQL, and what each database calls the few functions that this takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

import pyarrow as pa

from monitoring.errors import BadInput
from monitoring.jobs.engines.relation import Relation

#: What the rows are called in a statement.
ROWS = "pitfalls_rows"

_DOUBLE_QUOTE, _APOSTROPHE = chr(34), chr(39)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a database writes what differs between databases: templates with the place of their argument.

    Attributes:
        microseconds: A time as microseconds since 1970 in UTC; one without a zone is in UTC.
        is_nan: Whether a double is NaN.
        is_finite: Whether a double that is not NaN is finite.
        utf8: A text as its bytes in UTF-8, which have no collation.
        literal: A double to the last bit, written as Python does.
        largest: Mean and variance take numbers beyond it as it, where the database does not add up beyond; None: none.
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


#: The dialects, by what the URL of a database begins with. Statements of all but the first two were never run: they are
#: compared with what the databases' grammars take.
DIALECTS: Final[Mapping[str, Dialect]] = MappingProxyType(
    {
        "duckdb": Dialect(
            name="DuckDB",
            microseconds="epoch_us({})",
            double="CAST({} AS DOUBLE)",
            is_nan="isnan({})",
            is_finite="isfinite({})",
            utf8="encode({})",
            text="VARCHAR",
            literal="'{}'::DOUBLE",
        ),
        "postgresql": Dialect(
            name="PostgreSQL",
            microseconds="CAST(EXTRACT(EPOCH FROM {}) * 1000000 AS bigint)",
            double="CAST({} AS float8)",
            is_nan="{} = CAST('NaN' AS float8)",
            is_finite="{} NOT IN (CAST('Infinity' AS float8), CAST('-Infinity' AS float8))",
            utf8="convert_to({}, 'UTF8')",
            text="text",
            literal="CAST('{}' AS float8)",
            largest=1e140,  # it ends a statement whose squares are beyond a double
        ),
        "bigquery": Dialect(
            name="BigQuery",
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


def dialect_of(url: str) -> Dialect:
    """The dialect of a database's URL.

    >>> dialect_of("postgresql+psycopg://reader@host/scores").name
    'PostgreSQL'
    """
    name = url.partition(":")[0].partition("+")[0]
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


def condition(
    relation: SqlRelation,
    between: tuple[int, int] | None,
    ids: Sequence[str] | None = None,
    *,
    without: Sequence[str] = (),
) -> str:
    """A condition on event times in microseconds, and on ids; rows without a time are left out of any span."""
    dialect = relation.dialect
    when = dialect.microseconds.format(dialect.quoted(relation.event_time))
    name = f"CAST({dialect.quoted(relation.prediction_id)} AS {dialect.text})"
    parts = []
    if between is not None:
        parts.append(f"{when} >= {between[0]} AND {when} < {between[1]}")
    if ids is not None:
        parts.append(f"{name} IN ({dialect.listed(ids)})" if ids else "1 = 0")
    if without:
        parts.append(f"{name} NOT IN ({dialect.listed(without)})")
    return " AND ".join(parts) or "1 = 1"


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
