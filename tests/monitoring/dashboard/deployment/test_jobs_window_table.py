"""Windows with their states, and backfills, as tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from monitoring.dashboard.deployment.jobs import backfill_table, window_table
from monitoring.dashboard.view.table import csv_text
from monitoring.records import Backfill, WindowRevision
from monitoring.reports.window_states import WindowState
from monitoring.watches.descriptions import NOTHING

DAY = datetime(2026, 4, 1, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")
WAS = WindowRevision(
    start=DAY,
    end=DAY + timedelta(days=1),
    backfill=1,
    rows=0,
    labels=0,
    status="thin",
    page_log_evidence=0.0,
    notice_log_evidence=0.0,
)
REVISED = WindowState(
    start=DAY,
    end=DAY + timedelta(days=1),
    state="revised",
    status="ok",
    rows=1234,
    labels=56,
    attempts=2,
    judged_at=DAY + timedelta(days=3),
    before=(WAS,),
)
FAILED = WindowState(
    start=DAY + timedelta(days=1),
    end=DAY + timedelta(days=2),
    state="failed",
    attempts=3,
    reason="A file\u202e is cut off.",
)


def test_windows_are_listed_newest_first_with_attempts_reasons_and_what_they_were() -> None:
    table = window_table([REVISED, FAILED], None, "/d/shop/1", NEW_YORK)
    failed, revised = table.rows
    assert [one.text for one in revised] == [
        "2026-03-31 20:00",
        "revised",
        "ok",
        "1,234",
        "56",
        "2",
        "2026-04-03 20:00",
        "thin, 0 rows, 0 labels",
        NOTHING,
    ]
    assert revised[0].href == "/d/shop/1/windows/2026-04-01T00:00:00Z"
    assert (failed[0].href, failed[1].style, failed[5].text) == ("", "page text", "3")
    assert "\u202e" not in failed[8].text
    assert {len(row) for row in table.rows} == {len(table.columns)}
    assert csv_text(table).splitlines()[1].startswith("2026-04-02T00:00:00+00:00,failed,,,,3,,,A file")


def test_more_windows_than_fit_are_counted() -> None:
    table = window_table([REVISED, FAILED], 1, "/d/shop/1", NEW_YORK)
    assert ([row[1].text for row in table.rows], table.left_out) == (["failed"], True)


def test_backfills_say_what_was_asked_for_by_whom_and_whether_they_ended() -> None:
    begun = Backfill(start=DAY, end=DAY + timedelta(days=2), until=DAY, by="ada", at=DAY, only="missing", revised=4)
    (row,) = backfill_table([begun], NEW_YORK).rows
    assert [one.text for one in row] == [
        "2026-03-31 20:00",
        "not ended",
        "2026-03-31 20:00",
        "2026-04-02 20:00",
        "missing",
        "4",
        "ada",
    ]
