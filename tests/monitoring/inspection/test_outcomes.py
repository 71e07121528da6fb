from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from monitoring import Monitor
from monitoring.config import MonitorConfig, load_config
from monitoring.inspection import outcomes
from monitoring.inspection.outcomes import read_outcomes, residuals
from monitoring.records import WindowRecord
from tests.dashboard_store import EXAMPLES
from tests.small_deployment import FIRST, LATER, LIVE, ROWS_A_DAY, Days, table_of

DAY = timedelta(days=1)


@pytest.fixture
def config(deployed: Path, send: Callable[..., None]) -> MonitorConfig:
    send(deployed, Days(days=3, broken_from=0))
    return load_config(deployed / "monitor.toml")


def windows(days: int) -> list[WindowRecord]:
    example: WindowRecord = EXAMPLES["make_status"](windows=1).windows[0]
    return [
        replace(example, start=LIVE + day * DAY, end=LIVE + (day + 1) * DAY, rows=ROWS_A_DAY) for day in range(days)
    ]


def test_answers_and_labels_are_those_of_the_windows_and_of_the_baseline(config: MonitorConfig) -> None:
    (found,) = read_outcomes(config, 1, windows(2), ("",), lambda: LATER)
    live = table_of(Days(days=3, broken_from=0)).slice(0, 2 * ROWS_A_DAY)
    reference = table_of(Days(days=90, start=FIRST, seed=1))
    for some, table in ((found.live, live), (found.baseline, reference)):
        known = table.filter(table["label"].is_valid())
        assert len(some) == known.num_rows
        assert (some.labels == 1).sum() == known["label"].to_pylist().count("late")
        assert np.allclose(
            sorted(some.answers[:, 1]), sorted(one[1] for one in known["probabilities"].to_pylist()), atol=1e-6
        )
    assert (len(found.windows), found.left_out) == (2, 0)


def test_a_slice_has_its_own_rows_and_one_of_classes_none(config: MonitorConfig) -> None:
    whole, jfk = read_outcomes(config, 1, windows(2), ("", "origin=JFK", "label=late", ""), lambda: LATER)
    live = table_of(Days(days=3, broken_from=0)).slice(0, 2 * ROWS_A_DAY)
    known = live.filter(live["label"].is_valid())
    assert (whole.part, jfk.part) == ("", "origin=JFK")
    assert len(jfk.live) == known["origin"].to_pylist().count("JFK")
    assert 0 < len(jfk.baseline) < len(whole.baseline)


def test_only_the_last_windows_are_read(config: MonitorConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "MOST_ROWS", 2 * ROWS_A_DAY)
    (found,) = read_outcomes(config, 1, windows(3), ("",), lambda: LATER)
    assert (found.windows[0].start, found.left_out) == (LIVE + DAY, 1)
    (nothing,) = read_outcomes(config, 1, (), ("",), lambda: LATER)
    assert len(nothing.live) == 0


def test_of_several_outputs_each_has_its_own_answers_and_labels(tmp_path: Path) -> None:
    count, start = 200, FIRST
    rng = np.random.default_rng(0)
    late, price = rng.uniform(0.05, 0.95, count), rng.normal(20.0, 4.0, count)
    table = pd.DataFrame(
        {
            "event_time": [start + timedelta(hours=6 * row) for row in range(count)],
            "x": rng.normal(size=count),
            "late": late,
            "was_late": np.where(np.arange(count) % 2, 1, 0),
            "price": price,
            "paid": price + 1.0,
        }
    )
    said: dict[str, Any] = {
        "label": {"late": "was_late", "price": "paid"},
        "scores": {"late": "late"},
        "predicted": {"price": "price"},
    }
    made = Monitor.from_reference(table, out=tmp_path, clock=lambda: LATER, every="2d", **said)
    table.to_parquet(tmp_path / "live.parquet")
    config = load_config(made.config)
    traffic = config.traffic.with_path(tmp_path / "live.parquet")
    live = [replace(one, start=start, end=start + DAY) for one in windows(1)]
    late_found, price_found = read_outcomes(
        config.model_copy(update={"traffic": traffic}), 1, live, ("",), lambda: LATER
    )
    assert [(one.output, one.task.width) for one in (late_found, price_found)] == [("late", 2), ("price", 1)]
    assert late_found.live.answers[:, 1].tolist() == late[:4].tolist()
    assert late_found.live.labels.tolist() == [0, 1, 0, 1]
    assert len(price_found.baseline) == count
    assert np.allclose(residuals(price_found.task, price_found.live.answers, price_found.live.labels), 1.0)
