from __future__ import annotations

from monitoring.dashboard.history import WINDOWS, DeploymentHistory, HistoryRange, read_history
from monitoring.store import Store
from tests.dashboard_store import WINDOWS as JUDGED


def test_no_more_windows_are_read_than_asked_for(shared_store: Store) -> None:
    found = read_history(shared_store, shared_store.summaries()[0], HistoryRange(latest=10))
    assert (len(found.windows), len(found.page.starts), len(found.last)) == (10, 10, WINDOWS)
    assert found.judged == JUDGED
    assert found.windows[-1].scores == ()
    assert found.last[-1] == shared_store.windows(1)[-1]


def test_windows_before_a_time_are_read(shared_store: Store, history: DeploymentHistory) -> None:
    before = history.windows[20].start
    found = read_history(shared_store, history.summary, HistoryRange(latest=5, before=before))
    assert [one.start for one in found.windows] == [one.start for one in history.windows[15:20]]
    assert found.page.starts == tuple(one.start for one in found.windows)
    assert found.last[-1].start == history.windows[19].start


def test_only_the_series_that_are_shown_are_read(shared_store: Store, history: DeploymentHistory) -> None:
    found = read_history(shared_store, history.summary, HistoryRange(latest=5))
    assert {key.watch for key in found.page.scores} == {"brier", "error"}
    assert found.notice.scores == {}
    more = read_history(shared_store, history.summary, HistoryRange(latest=5, watches=("surprise_brier",)))
    assert {key.watch for key in more.page.scores} == {"brier", "error", "surprise_brier"}
