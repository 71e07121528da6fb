"""Windows of paired rows: exact sums of each measure, in any order and after any way through a file."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.predictions import Predictions
from monitoring.records import SCORE_ONE
from monitoring.rollout.pairs import (
    CALIBRATION,
    CANDIDATE,
    ERRORS,
    LOSS,
    SMALLEST_SCALE,
    Measures,
    PairedRows,
    WindowEvidence,
    arm_name,
)
from monitoring.tasks.classification import Classification
from monitoring.tasks.regression import Regression
from monitoring.tasks.task import NO_LABEL, Task
from monitoring.traffic.windows import Window

DAY = Window(start=datetime(2026, 3, 1, tzinfo=UTC), end=datetime(2026, 3, 2, tzinfo=UTC))
TASK = Classification(classes=("no", "yes"))


def paired(
    champion: np.ndarray, candidate: np.ndarray, labels: np.ndarray, origin: list[str] | None = None
) -> PairedRows:
    """Rows with answers of both versions."""
    rows = Predictions(
        ids=pa.array([str(place) for place in range(len(labels))]),
        event_times=np.arange(len(labels)),
        features=pa.table({} if origin is None else {"origin": origin}),
        probabilities=champion,
        labels=labels,
        label_times=np.zeros(len(labels), dtype=np.int64),
    )
    return PairedRows(rows=rows, candidate=candidate)


def some(rng: np.random.Generator, rows: int = 200) -> PairedRows:
    p, q = rng.random(rows), rng.random(rows)
    labels = rng.choice([NO_LABEL, 0, 1], rows)
    origin = rng.choice(["JFK", "LGA", "EWR"], rows).tolist()
    return paired(np.stack([1 - p, p], axis=1), np.stack([1 - q, q], axis=1), labels, origin)


@pytest.fixture
def measures() -> Measures:
    guards = frozenset({CALIBRATION, ERRORS})
    return Measures(task=TASK, loss="error", slices={"origin": ("EWR", "JFK")}, guards=guards)


def test_the_order_of_rows_changes_nothing(measures: Measures, rng: np.random.Generator) -> None:
    rows = some(rng)
    assert measures.window(DAY, rows) == measures.window(DAY, rows.take(rng.permutation(len(rows))))


def test_a_window_comes_back_from_json(measures: Measures, rng: np.random.Generator) -> None:
    window = measures.window(DAY, some(rng))
    document = json.loads(json.dumps(window.document()))
    assert WindowEvidence.of(DAY.start, DAY.end, document) == window


def test_each_measure_has_its_rows(measures: Measures, rng: np.random.Generator) -> None:
    rows = some(rng)
    window = measures.window(DAY, rows)
    origin = np.array(rows.rows.features["origin"].to_pylist())
    assert window.rows == len(rows)
    assert window.measures["origin=JFK"].rows == np.count_nonzero(origin == "JFK")
    own = window.measures[arm_name(CALIBRATION, CANDIDATE)]
    assert set(window.measures) == {
        LOSS, "origin=EWR", "origin=JFK", CALIBRATION, arm_name(CALIBRATION, CANDIDATE), ERRORS
    }  # fmt: skip
    assert window.measures[ERRORS].total == window.failed == 0
    labelled = rows.labels != NO_LABEL
    wrong = (rows.candidate.argmax(axis=1) != rows.labels)[labelled].sum()
    assert window.labelled == labelled.sum()
    assert window.candidate / SCORE_ONE == wrong
    promised = (1.0 - rows.candidate.max(axis=1))[labelled].sum()
    assert own.total / SCORE_ONE == pytest.approx((wrong - promised) / 2.0)
    assert own.missing == np.count_nonzero(~labelled)
    better = window.measures[LOSS].total / SCORE_ONE
    assert better == (window.candidate - window.champion) / SCORE_ONE


def test_rows_without_an_answer_of_the_champion_are_left_out_and_of_the_candidate_are_its_errors(
    measures: Measures, rng: np.random.Generator
) -> None:
    rows = some(rng, 10)
    rows.champion[:3] = np.nan
    rows.candidate[2:6] = np.nan
    window = measures.window(DAY, rows)
    assert (window.rows, window.unusable, window.failed) == (7, 3, 3)
    assert window.measures[ERRORS].total == 3 * SCORE_ONE
    assert measures.scale_of(rows) == 1.0


def test_versions_that_answer_nearly_alike_have_a_scale_that_needs_no_label() -> None:
    task = Regression(bound=64.0)
    y = np.linspace(10.0, 50.0, 30)
    labels = y.copy().view(np.int64)
    rows = paired(y[:, None] + 1.0, y[:, None] + 1.5, labels)
    measures = Measures(task=task, loss="absolute_error")
    scale = measures.scale_of(rows)
    assert scale == 2.0**-7  # a half of 64
    assert measures.scale_of(paired(rows.champion, rows.candidate, np.full(30, NO_LABEL))) == scale
    window = Measures(task=task, loss="absolute_error", scale=scale).window(DAY, rows)
    assert window.measures[LOSS].mean * scale * 64.0 == pytest.approx(0.5)
    assert measures.scale_of(paired(rows.champion, rows.champion + 1e-9, labels)) == SMALLEST_SCALE
    assert measures.scale_of(paired(rows.champion, rows.champion, labels)) == 1.0


def test_numbers_promise_no_loss_so_their_calibration_is_no_measure() -> None:
    task: Task = Regression(bound=10.0)
    measures = Measures(task=task, loss="absolute_error", guards=frozenset({CALIBRATION}))
    y = np.arange(5.0)
    assert set(measures.window(DAY, paired(y[:, None], y[:, None], y.view(np.int64))).measures) == {LOSS}
