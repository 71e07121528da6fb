"""A window's rows can be read again after its sums were made: for the rows that an incident names."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from monitoring.baseline.batch import Batch
from monitoring.baseline.folder import load_baseline
from monitoring.baseline.predictions import no_predictions
from monitoring.config import load_config
from monitoring.deployment.deployment import deploy
from monitoring.deployment.places import find_baseline
from monitoring.judging.window.label_join import LabelJoin
from monitoring.judging.window.window_reader import read_window
from monitoring.judging.window.window_traffic import DueWindow, WindowTraffic
from monitoring.sources.read_scope import ReadScope
from monitoring.sources.traffic import open_traffic
from monitoring.tasks.task import NO_LABEL
from monitoring.timestamps import duration_microseconds
from monitoring.traffic.windows import Window
from tests.own_table import NOW, own_rows, watch
from tests.small_deployment import LIVE, ROWS_A_DAY, Days


def ids_of(batch: Batch, rows: np.ndarray) -> list[str]:
    found: list[str] = batch.ids(np.flatnonzero(rows)).to_pylist()
    return found


@pytest.fixture(scope="module", params=[True, False])
def windows(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[WindowTraffic]:
    """Two days of a table whose labels became known with their rows, or later."""
    folder: Path = tmp_path_factory.mktemp("table")
    rows = own_rows(Days(days=2))
    watched = watch(folder, label_time=None if request.param else "known_at")
    watched.live("all.parquet", rows.drop_columns(["known_at"]) if request.param else rows)
    config = load_config(watched.adopted.config)
    path = (watched.folder / "live").absolute()
    config = config.model_copy(update={"traffic": config.traffic.model_copy(update={"path": path})})
    deployment, baseline = deploy(config), load_baseline(find_baseline(config).baseline)
    traffic = open_traffic(config, baseline, None, clock=lambda: NOW, scope=ReadScope(job=True))
    join = LabelJoin(
        traffic.label_parts(), task=baseline.spec.task, read=0, horizon_us=duration_microseconds(deployment.horizon)
    )
    found = []
    for number in range(2):
        window = Window(start=LIVE + timedelta(days=number), end=LIVE + timedelta(days=number + 1))
        empty, aggregator = no_predictions(baseline.spec), deployment.judge.aggregator()
        found.append(read_window(traffic, join, DueWindow(window=window, first=number == 0), aggregator, empty=empty))
    return found


def test_the_answered_rows_are_read_again_each_once(windows: list[WindowTraffic]) -> None:
    for window in windows:
        for _ in range(2):
            ids = [id_ for batch in window.batches.answered() for id_ in ids_of(batch, np.ones(len(batch), np.bool_))]
            assert len(ids) == len(set(ids)) == window.answered.rows == ROWS_A_DAY


def test_the_labelled_rows_are_read_again_with_the_labels_that_were_counted(windows: list[WindowTraffic]) -> None:
    for window in windows:
        for _ in range(2):
            wrong = labels = 0
            for batch in window.batches.labelled():
                known = batch.labels != NO_LABEL
                labels += int(known.sum())
                wrong += int((batch.probabilities.argmax(axis=1) != batch.labels)[known].sum())
            assert labels == window.labelled.rows
            assert wrong << 32 == window.labelled.whole.numbers("realised")[0]
