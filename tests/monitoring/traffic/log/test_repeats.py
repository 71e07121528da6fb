"""Rows that have the id of an earlier row are told apart by their inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from monitoring.traffic.format.rows import AnsweredRows, prediction_ids
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.repeats import conflicting_rows
from monitoring.traffic.log.scans import Query, read_scans
from monitoring.traffic.log.writer import TrafficWriter
from tests.monitoring.traffic.conftest import NOON

Answer = Callable[..., AnsweredRows]
Clock = Callable[[], datetime]


@pytest.mark.parametrize("close", [False, True], ids=["open", "converted"])
def test_rows_with_other_inputs_than_the_first_of_their_id(
    tmp_path: Path, clock: Clock, answer: Answer, close: bool
) -> None:
    writer = TrafficWriter(tmp_path, clock=clock)
    writer.append(answer("a", 2, at=NOON + timedelta(days=1)))  # converted after the next, and written before it
    writer.append(answer("a", 2))
    writer.append(answer("a", 1, salt=5.0))
    nan = {"temp": np.array([np.nan], np.float32)}
    writer.append(replace(answer("n", 1), inputs=nan))
    writer.append(replace(answer("n", 1), inputs=nan))
    writer.append(replace(answer("a", 1, version=2), inputs={"temp": np.array([0], np.int64)}))
    if close:
        writer.close()
    found = conflicting_rows(read_scans(tmp_path, Query(), None))
    summary = TrafficLog(tmp_path).summary()
    writer.close()
    ids = [prediction_ids(scan.table)[index].as_py() for scan, rows in found for index in rows.tolist()]
    assert ids == ["a:0", "a:0"], "one of each version"
    assert (summary.repeats, summary.conflicts) == (5, 2)


def test_a_log_without_rows_has_none(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    assert conflicting_rows(read_scans(tmp_path, Query(), None)) == []
