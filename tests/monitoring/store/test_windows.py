from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from monitoring.errors import CannotRun
from monitoring.records import EstimateRecord, IncidentRecord, IntervalChecks, RealisedLosses, WatchKey, WindowRecord
from monitoring.store import DeploymentRecord, Store
from monitoring.store.windows import estimates_of, estimates_text

APRIL = datetime(2013, 4, 1, tzinfo=UTC)


MakeWindow = Callable[..., WindowRecord]


def commit(store: Store, deployment: int, window: WindowRecord, *incidents: IncidentRecord) -> None:
    store.commit_window(
        deployment, window, states={"page": f"after {window.start}"}, label_cursor={"segment": 7}, incidents=incidents
    )


@pytest.mark.parametrize("day", [0, 1, 0.5], ids=["the first again", "the last again", "between the two"])
def test_a_window_is_judged_once_and_in_order(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord, day: float
) -> None:
    commit(store, deployment, window(0))
    commit(store, deployment, window(1))
    states, windows = store.deployments.states(deployment), store.windows.read(deployment)
    with pytest.raises(CannotRun, match="judged already"):
        commit(store, deployment, window(day), incident)
    assert (store.deployments.states(deployment), store.windows.read(deployment)) == (states, windows)
    assert store.incidents.read(deployment) == ()


def test_deployments_do_not_share_windows(
    store: Store, deployment: int, deployment_record: DeploymentRecord, window: MakeWindow, incident: IncidentRecord
) -> None:
    other = store.find_or_create(replace(deployment_record, version=2))
    commit(store, deployment, window(0), incident)
    commit(store, other, window(0, scores=3))
    assert store.windows.read(deployment) == (window(0),)
    assert store.windows.read(other) == (window(0, scores=3),)
    assert store.incidents.read(other) == ()


def test_nan_is_refused_and_nothing_is_kept(store: Store, deployment: int, window: MakeWindow) -> None:
    with pytest.raises(ValueError, match="NaN"):
        commit(store, deployment, replace(window(0), page_log_evidence=float("nan")))
    scores = (replace(window(0).scores[0], value=float("nan")),)
    with pytest.raises(ValueError, match="NaN"):
        commit(store, deployment, replace(window(0), scores=scores))
    assert store.windows.read(deployment) == ()


def test_times_come_back_in_utc(store: Store, deployment: int, window: MakeWindow) -> None:
    zone = timezone(timedelta(hours=-4))
    local = replace(window(0), start=APRIL.astimezone(zone), end=(APRIL + timedelta(hours=1)).astimezone(zone))
    commit(store, deployment, local)
    (stored,) = store.windows.read(deployment)
    assert stored == local
    assert (stored.start.tzinfo, stored.end.tzinfo) == (UTC, UTC)


def test_one_window_is_read_with_everything_that_was_written(
    store: Store, deployment: int, window: Callable[..., WindowRecord]
) -> None:
    for day in range(2):
        store.commit_window(deployment, window(day), states={}, label_cursor={}, incidents=())
    assert store.windows.at(deployment, window(1).start) == window(1)
    assert store.windows.at(deployment, window(2).start) is None


def test_the_scores_up_to_a_time_leave_out_later_windows(
    store: Store, deployment: int, window: Callable[..., WindowRecord]
) -> None:
    for day in range(4):
        store.commit_window(deployment, window(day), states={}, label_cursor={}, incidents=())
    found = store.windows.scores(deployment, "page", latest=2, before=window(3).start)
    assert found.starts == (window(1).start, window(2).start)
    assert {len(values) for _, values in found.scores.values()} == {2}


def test_scores_of_some_watches_come_by_window(
    store: Store, deployment: int, deployment_record: DeploymentRecord, window: MakeWindow
) -> None:
    other = store.find_or_create(replace(deployment_record, version=2))
    for day in range(4):
        commit(store, deployment, window(day))
        commit(store, other, window(day))
    wanted = next(one.watch for one in window(0).scores if not one.slice)
    found = store.windows.series(deployment, {wanted}, latest=2, before=window(3).start)
    assert found.starts == (window(1).start, window(2).start)
    assert found.seconds.tolist() == [start.timestamp() for start in found.starts]
    for place, scores in enumerate((window(1).scores, window(2).scores)):
        (one,) = (one for one in scores if one.watch == wanted and not one.slice)
        assert found.values[WatchKey(watch=wanted)][place] == one.value
        assert found.log_evidence[WatchKey(watch=wanted)][place] == one.log_evidence
    assert set(found.values) == {WatchKey(watch=wanted)}
    assert store.windows.series(deployment, (), latest=1).starts == (window(3).start,)
    assert store.windows.series(99, {wanted}, latest=2).starts == ()


def test_a_few_watches_are_found_without_all_others(store: Store) -> None:
    query = (
        "EXPLAIN QUERY PLAN SELECT value FROM score JOIN window ON window.id = score.window WHERE deployment = 1 "
        "AND score.window BETWEEN 1 AND 9 AND watch IN ('brier', 'error')"
    )
    with store.transactions.reading() as connection:
        plan = " ".join(str(row) for row in connection.execute(text(query)))
    assert "ix_score_watch (window=? AND watch=?)" in plan


def test_the_windows_before_a_time_come_with_their_scores(
    store: Store, deployment: int, window: Callable[..., WindowRecord]
) -> None:
    for day in range(4):
        store.commit_window(deployment, window(day), states={}, label_cursor={}, incidents=())
    assert store.windows.read(deployment, before=window(3).start, latest=2) == (window(1), window(2))


def test_windows_without_their_texts_are_those_of_a_time(store: Store, deployment: int, window: MakeWindow) -> None:
    for day in range(5):
        commit(store, deployment, window(day))
    light = [replace(window(day), scores=()) for day in range(5)]
    assert store.windows.recent(deployment) == tuple(light)
    assert store.windows.recent(deployment, since=light[1].end) == tuple(light[2:])
    assert store.windows.recent(deployment, before=light[4].start, latest=2) == tuple(light[2:4])


FINITE = st.floats(allow_nan=False, allow_infinity=False)
CHECKS = st.builds(
    IntervalChecks,
    rows=st.integers(0, 10**6),
    expected=st.integers(0, 2**60),
    realised=st.integers(0, 2**60),
    variance=FINITE,
    checks=st.integers(0, 1000),
    misses=st.integers(0, 1000),
    log_capital=st.lists(FINITE, max_size=4).map(tuple),
    trusted=st.booleans(),
)
ESTIMATES = st.builds(
    EstimateRecord,
    method=st.sampled_from(["calibrated", "threshold", "weighted"]),
    metric=st.sampled_from(["error", "brier"]),
    rows=st.integers(0, 10**6),
    value=st.none() | FINITE,
    low=st.none() | FINITE,
    high=st.none() | FINITE,
    checked=st.integers(0, 10**6),
    expected=st.none() | FINITE,
    half=st.none() | FINITE,
    realised=st.none() | FINITE,
    trusted=st.booleans(),
    interval_checks=CHECKS,
    confusion=st.lists(st.lists(FINITE, min_size=2, max_size=2).map(tuple), max_size=2).map(tuple),
    effective=st.none() | FINITE,
)
REALISED = st.builds(
    RealisedLosses,
    start=st.just(APRIL),
    rows=st.integers(0, 100),
    losses=st.dictionaries(st.sampled_from(["error", "brier", "absolute_error"]), st.integers(0, 2**40)),
)
WINDOW = WindowRecord(
    start=APRIL,
    end=APRIL,
    rows=1,
    labels=0,
    labels_due=1,
    labels_unknown=0,
    repeats=0,
    status="ok",
    page_log_evidence=0.0,
    notice_log_evidence=0.0,
)


@given(st.lists(ESTIMATES, max_size=2).map(tuple), st.lists(REALISED, max_size=2).map(tuple))
def test_estimates_come_back_to_the_last_bit(
    estimates: tuple[EstimateRecord, ...], realised: tuple[RealisedLosses, ...]
) -> None:
    text = estimates_text(replace(WINDOW, estimates=estimates, realised_losses=realised))
    assert repr(estimates_of(text)) == repr((estimates, realised))


def test_a_window_without_any_has_no_text(window: Callable[..., WindowRecord]) -> None:
    assert estimates_text(window()) is None
    assert estimates_of(None) == ((), ())


def test_stored_documents_have_the_names_of_the_records() -> None:
    record = EstimateRecord(
        method="calibrated",
        metric="error",
        rows=9,
        value=0.5,
        low=0.25,
        high=0.75,
        checked=0,
        expected=None,
        half=None,
        realised=None,
        trusted=True,
        interval_checks=IntervalChecks(log_capital=(0.5,)),
    )
    losses = RealisedLosses(start=APRIL, rows=2, losses={"error": 1, "brier": 0})
    text = estimates_text(replace(WINDOW, estimates=(record,), realised_losses=(losses,)))
    assert text is not None
    document = json.loads(text)
    (estimate,) = document["estimates"]
    assert estimate["interval_checks"]["log_capital"] == [0.5]
    assert document["realised_losses"] == [
        {"start": "2013-04-01T00:00:00+00:00", "rows": 2, "losses": {"error": 1, "brier": 0}, "missing": {}}
    ]


def test_a_number_that_is_not_finite_is_refused() -> None:
    record = EstimateRecord(
        method="weighted",
        metric="error",
        rows=9,
        value=math.nan,
        low=None,
        high=None,
        checked=0,
        expected=None,
        half=None,
        realised=None,
        trusted=True,
        interval_checks=IntervalChecks(),
    )
    with pytest.raises(ValueError, match="not JSON compliant"):
        estimates_text(replace(WINDOW, estimates=(record,)))
