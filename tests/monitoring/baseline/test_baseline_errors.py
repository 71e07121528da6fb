"""Errors of a baseline name the file, what is wrong, and how to write it again."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.baseline.baseline_errors import how_to_rewrite, unreadable
from monitoring.errors import CannotRun

EXPORT = "Export the bundle again, with a reference table."
INIT = "Write it again, from the reference table: pitfalls monitor init --force."


@pytest.mark.parametrize(
    ("place", "fix"),
    [
        ("models/flights/3/assets.extra/baseline", EXPORT),
        ("models/flights/3/assets.extra/schema.pbtxt", EXPORT),
        ("baseline", INIT),
        ("monitor/schema.pbtxt", INIT),
    ],
)
def test_the_fix_depends_on_whether_it_is_a_bundles(place: str, fix: str) -> None:
    assert how_to_rewrite(Path(place)) == fix


@pytest.mark.parametrize(
    ("reason", "shown"), [("first line\nsecond line", "first line"), ("", "no reason given"), ("one", "one")]
)
def test_the_first_line_of_the_reason_is_quoted(reason: str, shown: str) -> None:
    error = unreadable(Path("baseline/reference.parquet"), reason, "rows")
    assert isinstance(error, CannotRun)
    text = str(error)
    assert f"baseline/reference.parquet: {shown}" in text
    assert "second line" not in text
    assert text.endswith(INIT)
