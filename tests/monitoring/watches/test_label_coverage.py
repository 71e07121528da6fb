"""Labels that come for some rows rather than others."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline.predictions import Predictions
from monitoring.records import SCORE_ONE, ScoreSum, WatchKey
from monitoring.tasks.classification import Classification
from monitoring.tasks.task import NO_LABEL
from monitoring.watches.label_coverage import PREFIX, QUARTERS, CoverageGroups, LabelWindow, PendingLabels

SLICES = {"origin": ("EWR", "JFK")}

TASK = Classification(classes=("on_time", "late"))


def rows(count: int, known: np.ndarray, seed: int = 0) -> Predictions:
    rng = np.random.default_rng(seed)
    late = rng.uniform(size=count)
    return Predictions(
        ids=pa.array([str(row) for row in range(count)], pa.string()),
        event_times=np.arange(count),
        features=pa.table({"origin": pa.array(rng.choice(["EWR", "JFK", "LGA"], count).tolist(), pa.string())}),
        probabilities=np.stack([1 - late, late], axis=1),
        labels=np.where(known, 1, NO_LABEL),
        label_times=np.zeros(count, np.int64),
    )


def sums(groups: CoverageGroups, mature: Predictions) -> dict[WatchKey, ScoreSum]:
    return groups.sums(groups.counts(mature), groups.counts(mature.take(mature.labels != NO_LABEL)))


def values(groups: CoverageGroups, mature: Predictions) -> dict[str, float]:
    """Each watch's value in its own unit."""
    named = {watch.name: watch for watch in groups.watches}
    return {
        key.watch.removeprefix(PREFIX): named[key.watch].value(total.mean)
        for key, total in sums(groups, mature).items()
        if total.rows
    }


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_squares_are_those_of_the_labelled_rows_scores(known: list[bool]) -> None:
    mature = rows(len(known), np.array(known))
    groups = CoverageGroups.fit(rows(200, np.ones(200, bool), seed=1), TASK, SLICES)
    counts = groups.counts(mature), groups.counts(mature.take(mature.labels != NO_LABEL))
    origin = np.asarray(mature.features["origin"]) == "EWR"
    scores = (1.0 + origin[np.array(known)] - origin.mean()) / 2.0
    for found, power in ((groups.sums(*counts), 1), (groups.squares(*counts), 2)):
        total = found[WatchKey(watch="labelled:origin=EWR")]
        assert total.rows == sum(known)
        assert total.total / SCORE_ONE == pytest.approx(float((scores**power).sum()), abs=1e-6)


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_a_value_is_the_groups_share_of_labelled_rows_less_its_share_of_all(known: list[bool]) -> None:
    mature = rows(len(known), np.array(known))
    groups = CoverageGroups.fit(rows(200, np.ones(200, bool), seed=1), TASK, SLICES)
    found = sums(groups, mature)
    assert {key.watch for key in found} == {watch.name for watch in groups.watches}
    origin = np.asarray(mature.features["origin"]) == "EWR"
    total = found[WatchKey(watch="labelled:origin=EWR")]
    assert total.rows == sum(known)
    assert 0 <= total.total <= total.rows * SCORE_ONE
    if any(known):
        expected = origin[np.array(known)].mean() - origin.mean()
        assert values(groups, mature)["origin=EWR"] == pytest.approx(expected, abs=1e-6)
        assert sum(values(groups, mature)[f"score={q}"] for q in QUARTERS) == pytest.approx(0.0, abs=1e-6)


def test_all_labels_or_few_at_random_say_nothing_and_few_by_score_say_it() -> None:
    rng = np.random.default_rng(2)
    groups = CoverageGroups.fit(rows(4_000, np.ones(4_000, bool)), TASK, SLICES)
    assert all(abs(value) < 1e-6 for value in values(groups, rows(4_000, np.ones(4_000, bool))).values())
    few = values(groups, rows(4_000, rng.random(4_000) < 0.3))
    assert max(map(abs, few.values())) < 0.03
    late = rows(4_000, np.ones(4_000, bool)).probabilities[:, 1]
    chosen = values(groups, rows(4_000, rng.random(4_000) < np.where(late > 0.75, 0.9, 0.3)))
    assert chosen["score=highest"] > 0.2
    assert abs(chosen["origin=EWR"]) < 0.03


def test_without_scores_rows_are_grouped_by_predicted_class() -> None:
    late = np.repeat([[1.0, 0.0], [0.0, 1.0]], 50, axis=0)
    mature = rows(100, np.repeat([True, False], 50))
    alone = CoverageGroups(task=TASK, edges=None, slices={})
    answered = Predictions(
        ids=mature.ids,
        event_times=mature.event_times,
        features=mature.features,
        probabilities=late,
        labels=mature.labels,
        label_times=mature.label_times,
    )
    assert values(alone, answered) == {"answer=on_time": 0.5, "answer=late": -0.5}
    assert sums(alone, answered.take(np.zeros(100, bool)))[WatchKey(watch="labelled:answer=late")].rows == 0


def window(start: int, horizon: int = 3) -> LabelWindow:
    return LabelWindow(start=start, end=start + 1, horizon=horizon)


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5), st.integers(0, 30)), min_size=1, max_size=12),
    st.integers(1, 5),
    st.integers(0, 12),
)
def test_every_label_within_the_horizon_counts_once_and_the_state_survives_text(
    stream: list[tuple[int, int, int]], horizon: int, cut: int
) -> None:
    groups = CoverageGroups(task=TASK, edges=None, slices={})
    state, done, expected = PendingLabels(), 0, 0
    for start, (rows, age, labels) in enumerate(stream):
        answered = (rows, rows - rows // 2, rows // 2)
        own = start - age
        arrived = {own: (labels, labels, 0)} if own >= 0 else {}
        known = {one.start for one in state.windows}
        if own in known or (own == start and rows):
            expected += labels
        if start == cut:
            state = PendingLabels.from_text(state.to_text())
        state, sums = state.updated_by_counts(
            groups, answered, start if rows else None, arrived, window=window(start, horizon)
        )
        done += sums[WatchKey(watch="labelled:answer=late")].rows if sums else 0
    waiting = sum(one.labelled[0] for one in state.windows)
    assert done + waiting == expected


def test_a_window_is_evaluated_once_its_labels_are_no_longer_waited_for() -> None:
    groups = CoverageGroups(task=TASK, edges=None, slices={})
    state, sums = PendingLabels().updated_by_counts(groups, (10, 5, 5), 0, {0: (4, 4, 0)}, window=window(0))
    assert sums == {}
    for start in (1, 2):
        state, sums = state.updated_by_counts(groups, (0, 0, 0), None, {}, window=window(start))
        assert sums == {}
    state, sums = state.updated_by_counts(groups, (0, 0, 0), None, {0: (3, 0, 3)}, window=window(3))
    assert state.windows == ()
    found = sums[WatchKey(watch="labelled:answer=on_time")]
    assert found.rows == 7, "labels of the window in which the horizon ends count"
    assert 2.0 * found.mean - 1.0 == pytest.approx(4 / 7 - 0.5)


def test_text_that_a_store_already_holds_is_read() -> None:
    (pending,) = PendingLabels.from_text("5 9 10 4 6 3 1 2").windows
    assert (pending.start, pending.newest) == (5, 9)
    assert (pending.answered, pending.labelled) == ((10, 4, 6), (3, 1, 2))
