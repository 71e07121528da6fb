from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from monitoring.records import Finding, MeasuredMetric, ScoreHistory, WatchKey, WindowRecord
from monitoring.records.finding_nodes import finding_node

START = datetime(2013, 4, 1, tzinfo=UTC)
WINDOW = WindowRecord(
    start=START,
    end=START + timedelta(days=1),
    rows=10,
    labels=9,
    labels_due=10,
    labels_unknown=0,
    repeats=0,
    status="ok",
    page_log_evidence=0.0,
    notice_log_evidence=float("-inf"),
)


def test_a_window_of_an_earlier_version_has_no_later_counts() -> None:
    assert (WINDOW.unseen, WINDOW.labels_conflicting, WINDOW.label_delays) == (0, 0, ())
    assert (WINDOW.findings, WINDOW.scores, WINDOW.estimates, WINDOW.realised_losses) == ((), (), (), ())


def test_windows_are_equal_by_value() -> None:
    assert replace(WINDOW, status="page") != WINDOW
    assert replace(WINDOW, status="ok") == WINDOW


def test_the_keys_of_a_stored_finding_are_those_of_earlier_versions() -> None:
    finding = Finding(kind="column gone", feature="x", message="The input x is absent.")
    assert finding_node(finding) == {
        "kind": "column gone",
        "feature": "x",
        "message": "The input x is absent.",
        "fact": False,
    }


def test_histories_are_compared_by_identity_as_they_hold_arrays() -> None:
    scores = {WatchKey(watch="brier"): (np.zeros(1, np.int64), np.zeros(1))}
    one, other = (ScoreHistory(starts=(START,), ends=(START,), scores=scores) for _ in range(2))
    assert one != other
    assert one == one  # noqa: PLR0124  # that a history equals itself is the point


def test_a_metric_comes_back_from_json_as_it_was() -> None:
    one = MeasuredMetric(metric="auc", rows=3, value=1 / 3, low=0.1, high=2 / 3)
    assert MeasuredMetric(**json.loads(json.dumps(asdict(one)))) == one
