from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from monitoring.config import load_config
from monitoring.documents.status import status_document
from monitoring.inspection.status import status
from monitoring.judging.fit.estimator import MIN_INTERVAL_WINDOWS, ConformalInterval
from monitoring.records import EstimateRecord, IntervalChecks, MonitorStatus
from monitoring.reports.charts.estimates import estimate_charts
from monitoring.reports.sections.estimates import realised, settled_by_window, trust_lines, trust_rows
from monitoring.runs.run import run_due_windows
from monitoring.sentences.incident_text import incident_text
from monitoring.store.store import Store
from monitoring.watches.trust import MISS_RATE

NOW = datetime(2014, 1, 1, tzinfo=UTC)
Send = Callable[..., None]


def run(folder: Path) -> MonitorStatus:
    config = load_config(folder / "monitor.toml")
    with Store.open(config.store.url) as store:
        run_due_windows(config, store, clock=lambda: NOW)
        return status(store, "flights")


def of(record: Any, method: str, metric: str) -> EstimateRecord:
    found: EstimateRecord = next(e for e in record.estimates if (e.method, e.metric) == (method, metric))
    return found


def test_estimates_of_sound_traffic_agree_with_the_true_losses(deployed: Path, send: Send, days: Any) -> None:
    send(deployed, days(days=40))
    found = run(deployed)
    inside = 0
    settled = settled_by_window(found)
    for window in found.windows:
        one = of(window, "calibrated", "brier")
        assert one.value is not None
        assert one.low is not None
        assert one.high is not None
        assert one.low <= one.value <= one.high
        truth = realised(settled[window.start], "brier")
        assert truth is not None
        inside += one.low <= truth <= one.high
        assert settled[window.start].rows > 50
    assert inside >= 32  # of 40 at 90 %: fewer has a chance below .005
    assert sum(s.rows for s in settled.values()) == found.coverage.labels
    assert all(row.trusted and row.checks == 40 for row in trust_rows(found))
    document = status_document(found).plain()
    shown = document["windows"][3]["estimates"][0]
    assert shown["labelled"] == settled[found.windows[3].start].rows
    assert shown["confusion"] is not None
    assert np.sum(shown["confusion"]) == pytest.approx(1.0)
    assert [entry["distrusted_since"] for entry in document["trust"]] == [None] * 5
    assert {s.level for w in found.windows for s in w.scores if s.watch.startswith("estimated")} == {"page"}


def test_the_estimate_of_a_wrong_model_loses_trust_from_the_next_window_on(
    deployed: Path, send: Send, days: Any
) -> None:
    send(deployed, days(days=30, broken_from=15, broken_part=0.5))
    found = run(deployed)
    row = next(r for r in trust_rows(found) if (r.method, r.metric) == ("calibrated", "error"))
    assert not row.trusted
    assert row.since is not None
    assert datetime(2013, 4, 16, tzinfo=UTC) < row.since < datetime(2013, 4, 24, tzinfo=UTC)
    for window in found.windows:
        levels = {s.level for s in window.scores if s.watch == "estimated_error"}
        assert levels == ({"page"} if window.end <= row.since else {"notice"})
    assert any("not trusted since" in line for line in trust_lines(found))
    chart = estimate_charts(found)[0]
    assert len(chart.table.rows) == 30
    assert "not trusted since" in chart.note
    page = next(i for i in found.incidents if i.level == "page")
    assert incident_text(page).message.startswith("Error rate ")
    assert {part.column for part in page.detail.parts} == {"origin"}


def test_without_labels_there_is_an_estimate_and_no_check(deployed: Path, send: Send, days: Any) -> None:
    send(deployed, days(days=10), labels=False)
    found = run(deployed)
    one = of(found.windows[-1], "calibrated", "error")
    assert one.value is not None
    assert 0.1 < one.value < 0.4
    assert (one.checked, one.realised, one.interval_checks) == (0, None, IntervalChecks())
    assert "unchecked since 1 Apr 2013 (10 windows with too few labels)" in trust_lines(found)[0]


DIFFERENCES = hnp.arrays(np.float64, st.integers(MIN_INTERVAL_WINDOWS, 60), elements=st.floats(-1.0, 1.0))


def test_an_interval_by_hand() -> None:
    differences = np.array([0.1, -0.2, 0.3, 0.0, 0.1, -0.1, 0.2, 0.0, -0.3])
    interval = ConformalInterval.fit(differences, np.full(9, 0.01))
    excess = float(np.mean(differences**2)) - 0.01
    assert interval.excess_variance == pytest.approx(excess)
    assert interval.quantile == pytest.approx(0.3 / np.sqrt(excess + 0.01))  # the ninth smallest of nine
    assert interval.half_width(50, 5.0) == pytest.approx(interval.quantile * np.sqrt(excess + 5.0 / 2500))


@given(DIFFERENCES, st.floats(0.0, 0.1))
def test_the_intervals_of_all_but_the_miss_rate_of_baseline_windows_hold_the_truth(
    differences: np.ndarray, variance: float
) -> None:
    interval = ConformalInterval.fit(differences, np.full(differences.size, variance))
    inside = np.abs(differences) <= interval.half_width(1, variance) * (1 + 1e-9)
    assert inside.sum() >= np.ceil((differences.size + 1) * (1.0 - MISS_RATE))


@given(DIFFERENCES, st.integers(1, 1000), st.floats(0.0, 1.0))
def test_more_rows_of_the_same_variance_never_widen_an_interval(
    differences: np.ndarray, rows: int, row_variance: float
) -> None:
    interval = ConformalInterval.fit(differences, np.full(differences.size, 0.01))
    assert interval.half_width(rows + 1, (rows + 1) * row_variance) <= interval.half_width(rows, rows * row_variance)


@given(DIFFERENCES, st.integers(0, 10**6))
def test_the_order_of_baseline_windows_does_not_matter(differences: np.ndarray, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(differences.size)
    variances = np.linspace(0.001, 0.02, differences.size)
    one = ConformalInterval.fit(differences, variances)
    other = ConformalInterval.fit(differences[order], variances[order])
    assert other.quantile == pytest.approx(one.quantile)
    assert other.excess_variance == pytest.approx(one.excess_variance, abs=1e-12)


def test_estimates_that_were_always_right_still_have_a_width() -> None:
    interval = ConformalInterval.fit(np.zeros(20), np.zeros(20))
    assert interval.half_width(100, 0.0) == 0.0
    assert interval.half_width(100, 25.0) == 0.0
    moved = ConformalInterval.fit(np.full(20, 1e-9), np.zeros(20))
    assert 0.0 < moved.half_width(100, 0.0) < 1e-6


def test_fewer_windows_than_the_smallest_number_have_no_quantile_of_this_level() -> None:
    ranks = {windows: np.ceil((windows + 1) * (1.0 - MISS_RATE)) for windows in range(1, MIN_INTERVAL_WINDOWS + 1)}
    assert [windows for windows, rank in ranks.items() if rank <= windows] == [MIN_INTERVAL_WINDOWS]
