from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from monitoring.baseline.folder import load_baseline
from monitoring.config import load_config
from monitoring.deployment.places import find_baseline
from monitoring.inspection.live_rows import LiveRows, in_slice
from monitoring.tasks.id_codes import id_codes
from monitoring.traffic.windows import Window
from tests.own_table import watch
from tests.small_deployment import LATER, LIVE, Days

DAY = Window(start=LIVE, end=LIVE + timedelta(days=1))


@pytest.fixture
def live(deployed: Path, send: Callable[..., None]) -> LiveRows:
    send(deployed, Days(days=2))
    config = load_config(deployed / "monitor.toml")
    baseline = load_baseline(find_baseline(config).baseline)
    return LiveRows.open(config, baseline, 1, since=LIVE, clock=lambda: LATER)


def test_rows_come_in_the_order_of_their_ids_with_their_labels(live: LiveRows) -> None:
    found = live.some(pa.array(["20130401-0-7:0", "gone:0", "20130401-0-3:0"]), DAY)
    assert found.ids.to_pylist() == ["20130401-0-7:0", "20130401-0-3:0"]
    assert (found.labels >= 0).all()
    assert live.id_names(found.ids, DAY) == {}


def test_typical_rows_are_of_the_slice(live: LiveRows) -> None:
    found = live.typical(DAY, "origin=JFK", 4)
    assert len(found) == 4
    assert set(found.features["origin"].to_pylist()) == {"JFK"}
    assert abs(found.features["temp"].to_pandas() - 50.0).max() < 10.0


def test_ids_of_a_ranking_are_those_of_the_traffic(tmp_path: Path) -> None:
    answers = [["a", "b"], ["b", "a"], ["a", "c"], ["d", "a"]] * 300
    rows = pa.table(
        {
            "id": [str(row) for row in range(1200)],
            "at": pa.array([LIVE + timedelta(hours=row) for row in range(1200)], pa.timestamp("us", "UTC")),
            "shown": answers,
            "clicked": ["a", "b", "e", None] * 300,
        }
    )
    columns: dict[str, Any] = {
        "event_time": "at",
        "prediction_id": "id",
        "predicted": "shown",
        "label": "clicked",
        "task": "ranking",
    }
    none: dict[str, Any] = {"scores": (), "label_time": None, "classes": (), "slices": ()}
    watched = watch(tmp_path, rows, **{**none, **columns})
    watched.live("rows.parquet", rows)
    config = load_config(watched.adopted.config)
    traffic = config.traffic.model_copy(update={"path": (tmp_path / "live").absolute()})
    config = config.model_copy(update={"traffic": traffic})
    live = LiveRows.open(config, load_baseline(find_baseline(config).baseline), 1, since=LIVE, clock=lambda: LATER)
    names = live.id_names(pa.array(["2", "3"]), DAY)
    assert sorted(names.values()) == ["a", "c", "d", "e"]
    assert names == {code: name for name in "acde" for code in id_codes(pa.array([name])).tolist()}
    assert live.id_names(pa.array(["gone"]), DAY) == {}


def test_a_slice_of_classes_or_none_is_all_rows() -> None:
    rows = pa.table({"shop": ["a", "b"]})
    assert in_slice(rows, "") is None
    assert in_slice(rows, "label=late") is None
