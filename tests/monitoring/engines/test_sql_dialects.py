"""Statements in every dialect: as they were written down, and as the database's grammar takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest
import sqlglot

from monitoring.baseline.profile import Bins
from monitoring.engines.sql_relation import DIALECTS, ROWS, Dialect, condition, dialect_of
from monitoring.engines.sql_sums import number_statement, row_statement, word_statement
from monitoring.errors import BadInput

SPANS = [(0, 86_400_000_000), (86_400_000_000, 172_800_000_000), (259_200_000_000, 345_600_000_000)]
SCHEMA = pa.schema(
    {
        "the `id`": pa.string(),
        "at": pa.timestamp("us", "UTC"),
        "x": pa.float64(),
        "b": pa.bool_(),
        "w": pa.string(),
        "v": pa.string(),
    }
)
NUMBER = Bins(feature="x", edges=(-0.5, 0.1, 1e300))
WRITTEN = Path(__file__).parent / "sql_statements"


@dataclass(frozen=True, kw_only=True)
class Columns:
    """A relation that is only written about. As far as statements go, a `SqlRelation`."""

    dialect: Dialect
    event_time: str = "at"
    prediction_id: str = "the `id`"
    schema: pa.Schema = SCHEMA

    def listed(self, ids: Sequence[str]) -> str:
        return self.dialect.listed(ids)


def statements(name: str) -> list[str]:
    columns, odd = Columns(dialect=DIALECTS[name]), ["it's", "back\\slash"]
    rows = condition(columns, SPANS[0], ["1", "2"])  # type: ignore[arg-type]  # it has no rows
    found = [
        number_statement(columns, [NUMBER, Bins(feature="b", edges=(0.5,))], SPANS, odd),  # type: ignore[arg-type]
        number_statement(columns, [Bins(feature="b", edges=(0.5,))], SPANS[:1], ()),  # type: ignore[arg-type]
        word_statement(columns, ["w", "v"], SPANS[:1], ()),  # type: ignore[arg-type]
        row_statement(columns, SPANS, ()),  # type: ignore[arg-type]
        f"SELECT {columns.dialect.quoted('x')} FROM {ROWS} WHERE {rows}",  # noqa: S608 - names of columns
    ]
    return [" ".join(text.split()) for text in found]


@pytest.mark.parametrize("name", DIALECTS)
def test_statements_are_as_written_down_and_fit_the_grammar(name: str) -> None:
    found = statements(name)
    grammar = {"postgresql": "postgres"}.get(name, name)
    for text in found:
        (parsed,) = sqlglot.parse(text, read=grammar)
        assert parsed is not None
        assert not list(parsed.find_all(sqlglot.exp.Command)), text  # what is not understood is passed on as one
    assert "\n\n".join(found) + "\n" == (WRITTEN / f"{name}.sql").read_text("utf-8")


def test_a_database_that_nobody_has_written_down_is_one_error() -> None:
    with pytest.raises(BadInput, match="does not know how this database sums") as refused:
        dialect_of("mysql+pymysql://reader@host/scores")
    assert "mysql" in refused.value.got
    assert "PostgreSQL" in refused.value.expected
