"""Latencies of two versions on the same rows, in turns."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitoring.rollout.scoring import CandidateAnswers
from monitoring.rollout.shadow.worker import AT_ONCE, ENOUGH, LatencySample
from monitoring.traffic.windows import Window
from tests.monitoring.rollout.two_bundles import FormulaScorer

DAY = datetime(2026, 3, 1, tzinfo=UTC)
ROWS = pa.table({"prediction_id": [f"r{place}:0" for place in range(80)], "signature": ["serving_default"] * 80})


class TimedScorer(FormulaScorer):
    """Takes so many microseconds for each row."""

    def __init__(self, took_us: np.ndarray) -> None:
        super().__init__(lambda rows: np.zeros(rows.num_rows))
        self.took_us = took_us

    def score(self, rows: pa.Table, *, alone: bool = False) -> CandidateAnswers:
        assert alone
        return replace(super().score(rows, alone=alone), run_us=np.resize(self.took_us, rows.num_rows))


def filled(folder: Path, candidate: np.ndarray, champion: np.ndarray, days: int = 6) -> LatencySample:
    sample = LatencySample.read(folder)
    for day in range(days):
        for _ in range(2):
            start = DAY + timedelta(days=day)
            window, now = Window(start=start, end=start + timedelta(days=1)), start + timedelta(hours=5)
            sample.take(window, now, ROWS, TimedScorer(candidate), TimedScorer(champion))
    return sample


def test_some_rows_of_a_pass_are_timed_and_kept(tmp_path: Path) -> None:
    sample = filled(tmp_path, np.array([5]), np.array([7]), days=1)
    assert (
        LatencySample.read(tmp_path).times == sample.times == {DAY.isoformat(): ([5] * 2 * AT_ONCE, [7] * 2 * AT_ONCE)}
    )


def test_timed_rows_are_spread_over_the_window(tmp_path: Path) -> None:
    sample, window = LatencySample.read(tmp_path), Window(start=DAY, end=DAY + timedelta(days=1))
    for minute in range(0, 120, 10):
        scorers = TimedScorer(np.array([5])), TimedScorer(np.array([7]))
        sample.take(window, DAY + timedelta(minutes=minute), ROWS, *scorers)
    assert len(sample.times[DAY.isoformat()][0]) == math.ceil(500 * 110 / 1440)


def test_a_damaged_file_is_an_empty_sample(tmp_path: Path) -> None:
    filled(tmp_path, np.array([5]), np.array([7]), days=1)
    (tmp_path / "latencies.json").write_text("[1,", "utf-8")
    assert LatencySample.read(tmp_path).times == {}


def test_a_window_counts_once_enough_rows_were_timed_before_it(tmp_path: Path) -> None:
    sample = filled(tmp_path, np.array([5]), np.array([7]))
    assert ENOUGH == 200  # two days of 100 rows
    assert sample.sums(DAY + timedelta(days=1), 1.2) is None
    assert sample.sums(DAY + timedelta(days=2), 1.2) is not None
    assert sample.sums(DAY + timedelta(days=99), 1.2) is None


def test_a_slow_candidate_is_slow_more_often(tmp_path: Path) -> None:
    sample = filled(tmp_path, np.array([5, 5, 5, 5, 90]), np.array([5, 6]))
    sums = sample.sums(DAY + timedelta(days=3), 1.2)
    assert sums is not None
    assert sums.mean == pytest.approx(0.2)
    same = filled(tmp_path / "same", np.array([5, 6]), np.array([5, 6])).sums(DAY + timedelta(days=3), 1.2)
    assert same is not None
    assert same.mean == 0.0


def test_costs_are_percentiles_of_each_version(tmp_path: Path) -> None:
    costs = filled(tmp_path, np.array([5]), np.array([7])).costs([100, 200])
    assert (costs["candidate"].p50_us, costs["candidate"].memory_bytes) == (5.0, 100)
    assert (costs["champion"].p99_us, costs["champion"].memory_bytes) == (7.0, 200)
    assert LatencySample.read(tmp_path / "none").costs([0, 0])["candidate"].p50_us is None
