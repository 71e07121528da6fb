from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline import Baseline, BaselineSpec, FeatureSpec, load_baseline, write_baseline
from monitoring.reports import benchmark_of

SPEC = BaselineSpec(classes=("on_time", "late"), features=(FeatureSpec(name="origin", kind="category"),))


def baseline_of(folder: Path, *, days: int, labelled: bool = True) -> Baseline:
    """100 rows a day at 22:00 UTC, p = 0.2 everywhere; late are 40 of EWR's 50 on odd days, and 10 on even ones."""
    count = 100 * days
    row = np.arange(count)
    odd = (row // 100) % 2 == 1
    late = (row % 2 == 0) & ((row % 100) < np.where(odd, 80, 20))
    moments = [datetime(2013, 1, 1, 22, tzinfo=UTC) + timedelta(days=int(place)) for place in row // 100]
    stamps = pa.array(moments, pa.timestamp("us", tz="UTC"))
    table = pa.table(
        {
            "prediction_id": [f"r:{place}" for place in row],
            "event_time": stamps,
            "origin": np.where(row % 2 == 0, "EWR", "LGA"),
            "probabilities": pa.array([[0.8, 0.2]] * count, pa.list_(pa.float64())),
            "label": pa.array(np.where(late, "late", "on_time")) if labelled else pa.nulls(count, pa.string()),
            "label_time": stamps if labelled else pa.nulls(count, pa.timestamp("us", tz="UTC")),
        }
    )
    write_baseline(table, folder=folder, spec=SPEC)
    return load_baseline(folder)


def test_benchmark_has_each_loss_whole_and_by_slice_with_the_day_as_unit(tmp_path: Path) -> None:
    benchmark = benchmark_of(baseline_of(tmp_path, days=20), slices=("origin",))
    error, brier = benchmark.of("error"), benchmark.of("brier")
    assert error is not None
    assert brier is not None
    assert error.mean == pytest.approx(0.25)
    assert brier.mean == pytest.approx(0.25 * 0.64 + 0.75 * 0.04)
    # ten days at .1 and ten at .4: a deviation of .15390 between 20 days
    assert error.high - error.mean == pytest.approx(1.96 * 0.15390 / np.sqrt(20), rel=1e-3)
    east, other = benchmark.of("error", "origin=EWR"), benchmark.of("error", "origin=LGA")
    assert east is not None
    assert other is not None
    assert (east.mean, other.mean, other.low, other.high) == pytest.approx((0.5, 0.0, 0.0, 0.0))
    assert benchmark.of("error", "origin=JFK") is None


def test_days_are_those_of_the_deployments_zone(tmp_path: Path) -> None:
    baseline = baseline_of(tmp_path, days=6)
    here = benchmark_of(baseline).of("error")
    there = benchmark_of(baseline, timezone="Asia/Tokyo").of("error")
    assert here == there  # all of a day's rows move to the next day together


def test_without_labels_nothing_was_promised(tmp_path: Path) -> None:
    assert benchmark_of(baseline_of(tmp_path, days=3, labelled=False)).metrics == ()
