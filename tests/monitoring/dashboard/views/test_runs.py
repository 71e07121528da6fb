from __future__ import annotations

from datetime import timedelta

from monitoring.dashboard.history import DeploymentHistory
from monitoring.dashboard.views.runs import runs_view
from monitoring.records import RunRecord
from monitoring.watches.descriptions import NOTHING
from tests.dashboard_store import NOW


def test_runs_show_what_they_judged_and_their_error(history: DeploymentHistory) -> None:
    ended = RunRecord(started_at=NOW, ended_at=NOW + timedelta(seconds=2), windows=1, rows=9000, host="monitor-1")
    failed = RunRecord(started_at=NOW + timedelta(days=1), error="No bundle.", host="monitor-1")
    view = runs_view((failed, ended), history.summary, "/d/shop/1")
    assert [[cell.text for cell in row][:5] for row in view.table.rows] == [
        ["2013-05-12 12:00:00", "0", "0", "not ended", "No bundle."],
        ["2013-05-11 12:00:00", "1", "9,000", "2.0 s", NOTHING],
    ]
    assert [row[4].style for row in view.table.rows] == ["page", ""]
    assert (view.address, view.tables) == ("/d/shop/1/runs", (view.table,))
