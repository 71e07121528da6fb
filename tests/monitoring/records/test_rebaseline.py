"""A baseline that was made from traffic."""

from __future__ import annotations

from datetime import UTC, datetime

from monitoring.records import Rebaseline


def test_it_stands_until_it_is_undone_and_closes_nothing_by_itself() -> None:
    day = datetime(2026, 4, 5, tzinfo=UTC)
    made = Rebaseline(at=day, by="ada", reason="prices", start=day, end=day, since=day, former_basis="ab")
    assert (made.undone_at, made.undone_by, made.closed, made.former_section) == (None, "", (), "")
