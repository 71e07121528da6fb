from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from monitoring.dashboard.deployment.jobs import all_runs_table, run_table
from monitoring.records import RunRecord
from monitoring.store.runs import StoredRun
from monitoring.watches.descriptions import NOTHING
from tests.dashboard_store import NOW

ENDED = RunRecord(started_at=NOW, ended_at=NOW + timedelta(seconds=2), windows=1, rows=9000, host="monitor-1")
FAILED = RunRecord(started_at=NOW + timedelta(days=1), error="No bundle.", host="monitor-1")


def test_runs_show_what_they_judged_and_their_error() -> None:
    table = run_table((FAILED, ENDED), ZoneInfo("UTC"))
    assert [[cell.text for cell in row][:6] for row in table.rows] == [
        ["2013-05-12 12:00:00", "not ended", "0", "0", NOTHING, "No bundle."],
        ["2013-05-11 12:00:00", "2013-05-11 12:00:02", "1", "9,000", "2.0 s", NOTHING],
    ]
    assert [row[5].style for row in table.rows] == ["page text", ""]
    assert [row[1].value for row in table.rows] == [None, ENDED.ended_at]
    assert [row[4].value for row in table.rows] == [None, 2.0]


def test_runs_of_all_deployments_lead_to_theirs() -> None:
    one = StoredRun(deployment=3, name="flights", version=2, run=FAILED)
    (row,) = all_runs_table([("/d/shop/3", one)], ZoneInfo("UTC"), failed=True).rows
    assert (row[0].text, row[0].href, row[1].text) == ("flights v2", "/d/shop/3/runs", "2013-05-12 12:00:00")
