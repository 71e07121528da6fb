"""A column's role in words and in JSON."""

from __future__ import annotations

from monitoring.traffic.column_roles import ColumnRole


def test_a_column_says_why_it_is_no_input() -> None:
    assert str(ColumnRole(name="id", role="left out", why="ignored")) == "id (ignored)"
    assert str(ColumnRole(name="", role="left out", why="no name")) == "a column without a name"


def test_json_has_every_part() -> None:
    one = ColumnRole(name="age", role="input", kind="number", unit="years", description="of the customer")
    told = {"name": "age", "role": "input", "kind": "number", "why": ""}
    assert one.document() == {**told, "unit": "years", "description": "of the customer"}
