from __future__ import annotations

from dataclasses import replace

import pytest

from monitoring.records import MonitorStatus
from monitoring.reports.sections.benchmark import Benchmark, Interval, baseline_score, benchmark_interval


def test_the_benchmark_knows_its_metrics_and_slices(benchmark: Benchmark) -> None:
    assert benchmark.of("brier") == Interval(mean=0.146, low=0.135, high=0.157)
    assert benchmark.of("brier", "origin=EWR") == benchmark.metrics[0].by_slice["origin=EWR"]
    assert benchmark.of("brier", "origin=LAX") is None
    assert benchmark.of("auc") is None


def test_without_a_benchmark_the_baseline_s_mean_has_no_interval(status: MonitorStatus) -> None:
    assert benchmark_interval(status, None, "brier") == Interval(mean=0.146, low=0.146, high=0.146)
    assert benchmark_interval(status, None, "brier", "origin=LAX") is None


def test_a_benchmark_comes_before_the_baseline(status: MonitorStatus, benchmark: Benchmark) -> None:
    assert benchmark_interval(status, benchmark, "error") == benchmark.of("error")
    assert benchmark_interval(status, Benchmark(metrics=()), "error") is None


def test_the_baseline_of_a_slice_is_its_own(status: MonitorStatus) -> None:
    found = baseline_score(status, "brier", "origin=EWR")
    assert found is not None
    assert found.mean == 0.146 + 0.012
    assert baseline_score(status, "auc") is None


def test_a_metric_of_the_users_own_has_the_baselines_interval_over_windows(
    status: MonitorStatus, benchmark: Benchmark
) -> None:
    known = baseline_score(status, "error")
    assert known is not None
    own = replace(status, baseline=(replace(known, watch="metric:missed", deviation=0.02, windows=100),))
    found = benchmark_interval(own, benchmark, "metric:missed")
    assert found is not None
    assert found.mean == known.mean
    assert found.high - found.mean == pytest.approx(1.96 * 0.002)
    assert benchmark_interval(own, benchmark, "metric:other") is None
