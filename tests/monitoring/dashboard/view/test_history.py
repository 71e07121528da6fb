from __future__ import annotations

from monitoring.dashboard.view.history import WINDOWS, DeploymentHistory, Drawn, HistoryRange, read_history, with_scores
from monitoring.records import WatchKey
from monitoring.reports.sections.inputs import inputs_of
from monitoring.store import Store
from tests.dashboard_store import WINDOWS as JUDGED


def test_no_more_windows_are_read_than_asked_for(shared_store: Store) -> None:
    found = read_history(shared_store, shared_store.overview.summaries()[0], HistoryRange(latest=10))
    assert (len(found.windows), len(found.last)) == (10, WINDOWS)
    assert found.judged == JUDGED
    assert found.windows[-1].scores == ()
    assert found.last[-1] == shared_store.windows.read(1)[-1]


def test_windows_before_a_time_are_read(shared_store: Store, history: DeploymentHistory) -> None:
    before = history.windows[20].start
    extent = HistoryRange(latest=5, before=before)
    found = read_history(shared_store, history.summary, extent)
    found = with_scores(shared_store, found, extent, Drawn(watches=("brier",)))
    assert [one.start for one in found.windows] == [one.start for one in history.windows[15:20]]
    assert found.scores.starts == tuple(one.start for one in found.windows)
    assert found.last[-1].start == history.windows[19].start


def test_only_the_scores_that_are_drawn_are_read(shared_store: Store, history: DeploymentHistory) -> None:
    extent = HistoryRange(latest=5)
    bare = read_history(shared_store, history.summary, extent)
    assert bare.scores.values == {}
    found = with_scores(shared_store, bare, extent, Drawn(watches=("brier", "error")))
    assert set(found.scores.values) == {WatchKey(watch="brier"), WatchKey(watch="error")}
    part = next(one.slice for one in bare.last[-1].scores if one.watch == "brier" and one.slice)
    sliced = with_scores(shared_store, bare, extent, Drawn(watches=("brier",), part=part))
    assert set(sliced.scores.values) == {WatchKey(watch="brier"), WatchKey(watch="brier", slice=part)}
    temp = next(one for one in inputs_of(bare.last, bare.baseline) if one.key == "input:temp")
    drawn = with_scores(shared_store, bare, extent, Drawn(inputs=(temp,)))
    assert {key.watch for key in drawn.scores.values} == {known.watch for known in temp.watches}
    assert drawn.inputs == (temp,)
