"""Windows in which nothing was wrong."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

from monitoring.config import MonitorConfig, load_config
from monitoring.deployment.deployment import Deployment
from monitoring.drills.clean_windows import CleanWindows, clean_windows, next_start
from monitoring.records import IncidentRecord
from monitoring.store.incidents import write
from monitoring.store.opening import open_engine
from monitoring.store.store import Store
from tests.monitoring.drills.conftest import NOW
from tests.small_deployment import FIRST, LIVE


def windows_of(folder: Path, made: Deployment, config: MonitorConfig | None = None) -> CleanWindows:
    config = config or load_config(folder / "monitor.toml")
    with Store.open(config.store.url) as store:
        return clean_windows(config, made, store, clock=lambda: NOW)


def test_they_are_the_traffics_own_with_all_their_labels(judged: Path, made: Deployment) -> None:
    found = windows_of(judged, made)
    assert found.source == "traffic"
    last = found.windows[-1].window
    assert last.end == LIVE + timedelta(days=21)
    rows = found.windows[0].rows
    assert rows.num_rows == 60
    assert set(rows.column_names) == {
        "prediction_id",
        "event_time",
        "temp",
        "origin",
        "probabilities",
        "label",
        "label_time",
    }
    assert rows["label"].null_count < 10
    assert next_start(found) == last.end


def test_windows_of_a_page_and_before_it_are_not_clean(judged: Path, made: Deployment, tmp_path: Path) -> None:
    for name in ("models", "traffic"):
        (tmp_path / name).symlink_to(judged / name)
    for name in ("monitor.toml", "pitfalls.db"):
        shutil.copy(judged / name, tmp_path / name)
    start = LIVE + timedelta(days=4)
    page = IncidentRecord(
        number=99,
        level="page",
        state="closed",
        opened_at=start + timedelta(days=1),
        window_start=start,
        window_end=start + timedelta(days=1),
        watch="brier",
        slice="",
        closed_at=start + timedelta(days=2),
    )
    engine = open_engine(f"sqlite:///{tmp_path}/pitfalls.db")
    with engine.begin() as connection:
        write(connection, 1, (page,))
    engine.dispose()
    found = windows_of(tmp_path, made)
    assert found.source == "traffic"
    assert [one.window.start for one in found.windows] == [LIVE + timedelta(days=day) for day in range(6, 21)]


def test_with_too_few_of_them_or_no_traffic_they_are_the_references(
    deployed: Path, judged: Path, made: Deployment
) -> None:
    config = load_config(judged / "monitor.toml")
    named_later = config.model_copy(update={"traffic": config.traffic.model_copy(update={"path": None})})
    for found in (windows_of(deployed, made), windows_of(judged, made, named_later)):
        assert (found.source, len(found.windows)) == ("reference", 88)
        assert found.windows[0].window.start == FIRST + timedelta(days=1)  # the first and the last may be cut off
        assert found.windows[-1].rows.num_rows == 60


def test_of_many_rows_some_are_kept_in_their_order(judged: Path, made: Deployment) -> None:
    sample = windows_of(judged, made).sample(most=100)
    times = sample["event_time"].to_pylist()
    assert len(times) == 100
    assert times == sorted(times)
