"""Labels that come for some rows rather than others."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline.predictions import NO_LABEL, Predictions
from monitoring.records import SCORE_ONE, ScoreSum, WatchKey
from monitoring.watches.label_coverage import PREFIX, QUARTERS, CoverageGroups

SLICES = {"origin": ("EWR", "JFK")}


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


def sums(parts: CoverageGroups, mature: Predictions) -> dict[WatchKey, ScoreSum]:
    return parts.sums(parts.counts(mature), parts.counts(mature.take(mature.labels != NO_LABEL)))


def values(parts: CoverageGroups, mature: Predictions) -> dict[str, float]:
    """Each watch's value in its own unit."""
    named = {watch.name: watch for watch in parts.watches}
    return {
        key.watch.removeprefix(PREFIX): named[key.watch].value(total.mean)
        for key, total in sums(parts, mature).items()
        if total.rows
    }


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_squares_are_those_of_the_labelled_rows_scores(known: list[bool]) -> None:
    mature = rows(len(known), np.array(known))
    parts = CoverageGroups.fit(rows(200, np.ones(200, bool), seed=1), ("on_time", "late"), SLICES)
    counts = parts.counts(mature), parts.counts(mature.take(mature.labels != NO_LABEL))
    origin = np.asarray(mature.features["origin"]) == "EWR"
    scores = (1.0 + origin[np.array(known)] - origin.mean()) / 2.0
    for found, power in ((parts.sums(*counts), 1), (parts.squares(*counts), 2)):
        total = found[WatchKey(watch="labelled:origin=EWR")]
        assert total.rows == sum(known)
        assert total.total / SCORE_ONE == pytest.approx(float((scores**power).sum()), abs=1e-6)


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_a_value_is_the_parts_share_of_labelled_rows_less_its_share_of_all(known: list[bool]) -> None:
    mature = rows(len(known), np.array(known))
    parts = CoverageGroups.fit(rows(200, np.ones(200, bool), seed=1), ("on_time", "late"), SLICES)
    found = sums(parts, mature)
    assert {key.watch for key in found} == {watch.name for watch in parts.watches}
    origin = np.asarray(mature.features["origin"]) == "EWR"
    total = found[WatchKey(watch="labelled:origin=EWR")]
    assert total.rows == sum(known)
    assert 0 <= total.total <= total.rows * SCORE_ONE
    if any(known):
        expected = origin[np.array(known)].mean() - origin.mean()
        assert values(parts, mature)["origin=EWR"] == pytest.approx(expected, abs=1e-6)
        assert sum(values(parts, mature)[f"score={q}"] for q in QUARTERS) == pytest.approx(0.0, abs=1e-6)


def test_all_labels_or_few_at_random_say_nothing_and_few_by_score_say_it() -> None:
    rng = np.random.default_rng(2)
    parts = CoverageGroups.fit(rows(4_000, np.ones(4_000, bool)), ("on_time", "late"), SLICES)
    assert all(abs(value) < 1e-6 for value in values(parts, rows(4_000, np.ones(4_000, bool))).values())
    few = values(parts, rows(4_000, rng.random(4_000) < 0.3))
    assert max(map(abs, few.values())) < 0.03
    late = rows(4_000, np.ones(4_000, bool)).probabilities[:, 1]
    chosen = values(parts, rows(4_000, rng.random(4_000) < np.where(late > 0.75, 0.9, 0.3)))
    assert chosen["score=highest"] > 0.2
    assert abs(chosen["origin=EWR"]) < 0.03


def test_answers_alone_divide_by_class_and_more_classes_by_confidence() -> None:
    late = np.repeat([[1.0, 0.0], [0.0, 1.0]], 50, axis=0)
    mature = rows(100, np.repeat([True, False], 50))
    alone = CoverageGroups(classes=("on_time", "late"), edges=None, slices={})
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
