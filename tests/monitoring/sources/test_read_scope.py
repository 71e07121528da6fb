"""What a reader of the traffic reads, and that only the monitor's job writes what it found out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitoring.baseline.folder import load_baseline
from monitoring.config import load_config
from monitoring.deployment.places import find_baseline
from monitoring.judging.window.traffic_source import TrafficSource
from monitoring.sources.read_scope import EVERYTHING, ReadScope
from monitoring.sources.traffic import open_traffic
from monitoring.traffic.windows import Window
from tests.own_table import NOW, Watched, own_rows, watch
from tests.small_deployment import LIVE, Days


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    made = watch(tmp_path)
    made.live("a.parquet", own_rows(Days(days=4)))
    return made


def opened(watched: Watched, scope: ReadScope) -> TrafficSource:
    config = load_config(watched.adopted.config)
    path = (watched.folder / "live").absolute()
    config = config.model_copy(update={"traffic": config.traffic.model_copy(update={"path": path})})
    baseline = load_baseline(find_baseline(config).baseline)
    return open_traffic(config, baseline, 1, clock=lambda: NOW, scope=scope)


def rows_a_day(source: TrafficSource) -> list[int]:
    days = [LIVE + timedelta(days=day) for day in range(4)]
    windows = [Window(start=day, end=day + timedelta(days=1)) for day in days]
    return [sum(len(batch.event_times) for batch in source.rows(window).batches()) for window in windows]


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_everything_is_every_row_and_changes_no_file(watched: Watched) -> None:
    before = files(watched.folder)
    assert rows_a_day(opened(watched, EVERYTHING)) == [60] * 4
    assert files(watched.folder) == before


@pytest.mark.parametrize("job", [True, False])
def test_since_keeps_every_row_from_then_on(watched: Watched, job: bool) -> None:
    since = datetime(2013, 4, 3, tzinfo=UTC)
    assert rows_a_day(opened(watched, ReadScope(since=since, job=job)))[2:] == [60, 60]


def test_the_job_brings_labels_into_the_label_log_and_a_reader_sees_them_there(watched: Watched) -> None:
    opened(watched, EVERYTHING)
    assert not (watched.adopted.config.parent / "label-log").exists()
    logged = opened(watched, ReadScope(job=True)).labels().num_rows
    assert logged > 200
    assert opened(watched, EVERYTHING).labels().num_rows == logged
