from __future__ import annotations

from monitoring.records import ColumnNote


def test_words_that_the_dictionary_does_not_have_are_empty() -> None:
    assert ColumnNote(unit="EUR") == ColumnNote(unit="EUR", description="")
