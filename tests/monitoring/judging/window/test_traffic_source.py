"""What judging may rely on, whether traffic is a log or a table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.batch import Batch
from monitoring.baseline.folder import load_baseline
from monitoring.config import load_config
from monitoring.deployment.places import find_baseline
from monitoring.judging.window.traffic_source import TrafficSource, WindowRows
from monitoring.judging.window.window_sums import WindowAggregator
from monitoring.judging.window.windowing import split_by_window
from monitoring.sources.read_scope import ReadScope
from monitoring.sources.traffic import open_traffic
from monitoring.timestamps import as_microseconds
from monitoring.traffic.id_keys import IdSet
from monitoring.traffic.windows import CalendarPlan, Window
from tests.own_table import NOW, own_rows, watch
from tests.small_deployment import LIVE, ROWS_A_DAY, Days

DAYS = 3
PLAN = CalendarPlan(every="1d")


def day(number: int) -> Window:
    return Window(start=LIVE + timedelta(days=number), end=LIVE + timedelta(days=number + 1))


def ids_of(batch: Batch) -> list[str]:
    found: list[str] = batch.ids(np.arange(len(batch))).to_pylist()
    return found


@pytest.fixture(params=["log", "table with ids", "table without ids"])
def traffic(request: pytest.FixtureRequest, tmp_path: Path) -> TrafficSource:
    """Three days of the same rows, and their labels."""
    if request.param == "log":
        deploy: Callable[[str], Path] = request.getfixturevalue("deploy")
        send: Callable[..., None] = request.getfixturevalue("send")
        folder = deploy("log")
        send(folder, Days(days=DAYS))
        config = load_config(folder / "monitor.toml")
        return open_traffic(
            config, load_baseline(find_baseline(config).baseline), 1, clock=lambda: NOW, scope=ReadScope(job=True)
        )
    watched, rows = watch(tmp_path / "table"), own_rows(Days(days=DAYS))
    watched.live("all.parquet", rows if request.param == "table with ids" else rows.drop_columns(["id"]))
    config = load_config(watched.adopted.config)
    path = (watched.folder / "live").absolute()
    config = config.model_copy(update={"traffic": config.traffic.model_copy(update={"path": path})})
    return open_traffic(
        config, load_baseline(find_baseline(config).baseline), None, clock=lambda: NOW, scope=ReadScope(job=True)
    )


def test_each_row_is_in_the_window_of_its_event_time_and_in_no_other(traffic: TrafficSource) -> None:
    seen: list[str] = []
    for number in range(DAYS):
        for batch in traffic.rows(day(number)).batches():
            assert int(batch.event_times.min()) >= as_microseconds(day(number).start)
            assert int(batch.event_times.max()) < as_microseconds(day(number).end)
            seen += ids_of(batch)
    assert len(seen) == len(set(seen)) == DAYS * ROWS_A_DAY


class Collected:
    """Stands for an aggregator: keeps the batches that it is given."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []

    def add_answered(self, batch: Batch) -> None:
        """Without labels."""
        self.batches.append(batch)

    def add_with_labels(self, batch: Batch, start: int) -> None:
        """With labels."""
        self.batches.append(batch)


def gathered(rows: WindowRows) -> list[Batch]:
    """The batches that an aggregator is given."""
    collected = Collected()
    rows.gather(cast("WindowAggregator", collected))
    return collected.batches


def test_rows_can_be_read_again_and_gathering_them_reads_the_same(traffic: TrafficSource) -> None:
    rows = traffic.rows(day(1))
    first = sorted(id_ for batch in rows.batches() for id_ in ids_of(batch))
    given = sorted(id_ for batch in gathered(rows) for id_ in ids_of(batch))
    assert first == given == sorted(id_ for batch in rows.batches() for id_ in ids_of(batch))
    assert (rows.summary().repeats, rows.summary().problems) == (0, ())


def test_selected_rows_have_the_wanted_ids_and_the_newest_time_of_all(traffic: TrafficSource) -> None:
    rows = traffic.rows(day(0))
    batches = list(rows.batches())
    wanted = [id_ for batch in batches for id_ in ids_of(batch)][::7]
    selected, newest = traffic.rows(day(0)).select(IdSet(pa.array([*wanted, "of no row"], pa.string())))
    assert set(wanted) <= set(selected.ids.to_pylist())
    assert newest == max(int(batch.event_times.max()) for batch in batches)


def test_event_times_spans_and_counts_are_of_the_same_rows(traffic: TrafficSource) -> None:
    times = traffic.event_times()
    assert times.tolist() == sorted(times.tolist())
    [(first, last)] = traffic.spans(timedelta(days=30))
    assert as_microseconds(first) <= times[0]
    assert as_microseconds(last) >= times[-1]
    windows = [window for window, _ in split_by_window(times, PLAN)]
    expected = [[positions.size] * 2 for _, positions in split_by_window(times, PLAN)]
    assert traffic.row_counts(windows).tolist() == expected


def test_nothing_is_missing_and_nothing_is_wrong_with_sound_traffic(traffic: TrafficSource) -> None:
    assert traffic.source_findings == ()
    assert len(traffic.waiting_ids) == 0
    assert traffic.excluded_rows == 0
    assert [traffic.missing_rows(day(number)) for number in range(DAYS)] == [0] * DAYS


def test_a_window_without_rows_has_no_batches(traffic: TrafficSource) -> None:
    rows = traffic.rows(day(DAYS + 5))
    assert gathered(rows) == []
    selected, newest = rows.select(IdSet(pa.array(["1"], pa.string())))
    assert (len(selected), newest) == (0, 0)
    assert traffic.read(day(DAYS + 5))[0].features.column_names == ["temp", "origin"]


def test_ids_of_no_row_were_not_answered_and_are_of_no_other_model(traffic: TrafficSource) -> None:
    ids: Any = pa.array(["of no row"], pa.string())
    far = as_microseconds(datetime(2030, 1, 1, tzinfo=UTC))
    assert traffic.was_answered(ids, far).tolist() == [False]
    assert traffic.of_other_models(ids).tolist() == [False]


def test_the_latest_labels_have_one_for_each_labelled_row(traffic: TrafficSource) -> None:
    labels = traffic.latest_labels()
    ids = labels["prediction_id"].to_pylist()
    rows = own_rows(Days(days=DAYS))
    assert len(ids) == len(set(ids)) == len(rows) - rows["y"].null_count
    assert set(labels["label"].to_pylist()) == {"on_time", "late"}
