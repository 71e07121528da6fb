"""Predictions are found by id and event time, those of the model and those of others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitoring.timestamps import as_microseconds
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.log.prediction_index import PredictionIndex
from monitoring.traffic.log.scans import Query
from monitoring.traffic.log.writer import TrafficWriter
from monitoring.traffic.windows import Window
from tests.monitoring.traffic.conftest import NOON

Answer = Callable[..., AnsweredRows]
DAY = timedelta(days=1)
IDS = pa.array([f"{name}:0" for name in "abcdex"])


@pytest.fixture
def log(tmp_path: Path, clock: Callable[[], datetime], answer: Answer) -> Path:
    """`a` twice and `b` on the first day, `c` on the sixth; `d` of another version, `e` of another model."""
    writer = TrafficWriter(tmp_path, clock=clock)
    for name, at in (("a", NOON), ("b", NOON), ("a", NOON), ("c", NOON + 5 * DAY)):
        writer.append(answer(name, 1, at=at))
    writer.append(answer("d", 1, version=2))
    writer.close()
    writer = TrafficWriter(tmp_path, clock=clock)  # still open
    writer.append(answer("e", 1, model="boats"))
    writer.close()
    return tmp_path


def test_ids_are_found_by_time_and_others_apart(log: Path) -> None:
    index = PredictionIndex(log, Query(model="flights", version=1))
    day = as_microseconds(NOON + DAY)
    assert index.was_answered(IDS, day).tolist() == [True, True, False, False, False, False]
    assert index.was_answered(IDS, 10**18).tolist() == [True, True, True, False, False, False]
    assert index.was_answered(IDS, as_microseconds(NOON)).tolist() == [False] * 6
    assert index.of_other_models(IDS).tolist() == [False, False, False, True, True, False]


def test_without_a_version_all_versions_are_the_models(log: Path) -> None:
    index = PredictionIndex(log, Query(model="flights"))
    assert index.was_answered(IDS, 10**18).tolist() == [True, True, True, True, False, False]
    assert index.of_other_models(IDS).tolist() == [False, False, False, False, True, False]


def test_rows_before_the_first_time_are_not_there(log: Path) -> None:
    index = PredictionIndex(log, Query(model="flights", version=1, start=NOON + 2 * DAY))
    assert index.was_answered(IDS, 10**18).tolist() == [False, False, True, False, False, False]
    assert not index.of_other_models(IDS).any()


def test_rows_of_excluded_callers_are_as_another_models(
    tmp_path: Path, clock: Callable[[], datetime], answer: Answer
) -> None:
    writer = TrafficWriter(tmp_path, clock=clock)
    writer.append(replace(answer("a", 1), principals=["load-test"]))
    writer.append(replace(answer("b", 1), principals=["shop"]))
    writer.close()
    index = PredictionIndex(tmp_path, Query(model="flights", version=1, excluded=frozenset({"load-test"})))
    assert index.was_answered(IDS, 10**18).tolist() == [False, True, False, False, False, False]
    assert index.of_other_models(IDS).tolist() == [True, False, False, False, False, False]
    assert index.row_counts([Window(start=NOON, end=NOON + DAY)]).tolist() == [[1, 1]]


def test_rows_of_windows_are_counted_with_repeats_and_without(log: Path) -> None:
    index = PredictionIndex(log, Query(model="flights", version=1))
    windows = [Window(start=NOON + place * DAY, end=NOON + (place + 1) * DAY) for place in range(-1, 6)]
    counts = index.row_counts(windows)
    assert counts.dtype == np.int64
    assert counts.tolist() == [[0, 0], [3, 2], [0, 0], [0, 0], [0, 0], [0, 0], [1, 1]]


def test_an_id_that_was_answered_twice_counts_from_its_first_time(
    log: Path, clock: Callable[[], datetime], answer: Answer
) -> None:
    writer = TrafficWriter(log, clock=clock)
    writer.append(answer("c", 1, at=NOON))
    writer.close()
    index = PredictionIndex(log, Query(model="flights", version=1))
    assert index.was_answered(pa.array(["c:0"]), as_microseconds(NOON + DAY)).tolist() == [True]


def test_a_log_without_rows_knows_no_id(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    index = PredictionIndex(tmp_path, Query(model="flights", version=1))
    assert not index.was_answered(IDS, 10**18).any()
    assert not index.of_other_models(IDS).any()
    assert index.row_counts([Window(start=NOON, end=NOON + DAY)]).tolist() == [[0, 0]]
