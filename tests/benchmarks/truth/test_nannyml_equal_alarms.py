"""Thresholds are set on clean chunks alone, and splits of a reference have whole days."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmarks.truth import nannyml_equal_alarms
from benchmarks.truth.nannyml_datasets import CHUNK, Dataset
from benchmarks.truth.nannyml_equal_alarms import compared, dated_split, split_orders, threshold_of, windows_of

DAYS = 30
ROWS = 6 * CHUNK
DATED = pd.DataFrame(
    {
        "timestamp": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(ROWS) * (DAYS * 86_400 // ROWS), unit="s"),
        "y_pred": 1,
        "y": 1,
    }
)
DATASET = Dataset(name="own", title="own", label="y", table_fields={"rows": 2_000})


@pytest.mark.parametrize(("share", "alarms"), [(0.0, 0), (0.1, 1), (0.19, 1), (0.5, 5)])
def test_as_many_clean_chunks_alarm_as_may(share: float, alarms: int) -> None:
    clean = np.arange(10.0)[::-1]
    assert (clean > threshold_of(clean, share)).sum() == alarms


def test_days_stay_whole_and_come_in_any_order() -> None:
    first, second = split_orders(DATED, 2)
    assert sorted(first) == list(range(ROWS))
    assert not np.array_equal(first, second)
    assert (np.diff(first) == 1).sum() >= ROWS - DAYS
    judging, judged = dated_split(DATED, first)
    assert 2 * CHUNK <= len(judged) < 2 * CHUNK + ROWS // DAYS
    assert judging["timestamp"].is_monotonic_increasing
    assert judging["timestamp"].max() < judged["timestamp"].min()
    assert judging["timestamp"].dt.date.nunique() == DAYS - 10


def test_rows_without_days_are_drawn_one_by_one() -> None:
    rows = DATED.drop(columns="timestamp")
    judging, judged = dated_split(rows, split_orders(rows, 1)[0])
    assert (len(judging), len(judged)) == (4 * CHUNK, 2 * CHUNK)
    assert (windows_of(DATASET, rows), windows_of(DATASET, DATED)) == (ROWS / 2_000, DAYS)


def test_a_signal_has_its_threshold_its_false_alarms_and_its_first_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nannyml_equal_alarms, "alarms_of_monitor", lambda *_: {"this monitor, pages": [7_000]})
    later = DATED.assign(y=np.where(np.arange(ROWS) < CHUNK, 1, 0))
    clean, after = {"drift": np.arange(80.0)}, {"drift": np.array([1.0, 99.0, 100.0, 1.0, 1.0, 1.0])}
    rise, ours, drift = compared(DATASET, DATED, later, split_orders(DATED, 1), clean, after)
    assert rise[3:] == (CHUNK / 1000, None)
    assert ours == ("this monitor, pages", "defaults", 365 / 10, 7.0, 0)
    assert (*drift[:2], *drift[3:]) == ("NannyML, drift", 78.0, 2 * CHUNK / 1000, 0)
    assert drift[2] == pytest.approx(365 / (80 * DAYS * CHUNK / ROWS)), "one of 80 chunks, as .95 in 365 windows allow"
