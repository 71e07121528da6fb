from __future__ import annotations

from typing import Any

import pytest

from monitoring.config import ColumnSection, parse_dictionary
from monitoring.errors import InvalidSettings


def test_every_key_is_optional_and_words_are_one_line() -> None:
    found = parse_dictionary({"amount": {"unit": " EUR "}, "note": {"role": "ignored"}, "code": {}})
    assert found["amount"] == ColumnSection(unit="EUR")
    assert [one.is_left_out for one in found.values()] == [False, True, False]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": {"knid": "number"}}, r"\[columns\] a knid: unknown key.*Did you mean kind\?"),
        ({"a": {"kind": "float"}}, r"\] a kind: .*expected 'number', 'category'.*example, kind = \"number\"\."),
        ({"a": {"unit": 3}}, r"\[columns\] a unit: .*expected text in quotes.*example, unit = \"EUR\"\."),
        ({"a": {"description": "two\nlines"}}, "one line of at most 200 characters"),
        ({"a": {"unit": "x" * 41}}, "one line of at most 40 characters"),
        ({"a": "number"}, r"expected the column's keys in braces.*example, a = \{ kind = \"number\" \}\."),
        ({"a": {"role": "group"}, "b": {"role": "group"}}, r"several groups\. Got \[\"a\", \"b\"\]"),
        ({" ": {}}, "empty name"),
        (["a"], r"\[columns\]: invalid value"),
    ],
)
def test_what_is_no_entry_is_refused(columns: Any, message: str) -> None:
    with pytest.raises(InvalidSettings, match=message):
        parse_dictionary(columns)
