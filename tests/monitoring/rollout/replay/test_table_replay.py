"""Replays of tables: windows in order, each once it is mature."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.onboarding.table_description import described
from monitoring.rollout.decision_rules import DecisionRules
from monitoring.rollout.replay.paired_table import PairedTable, read_pairs
from monitoring.rollout.replay.table_replay import ReplayResult, replay_table
from monitoring.traffic.windows import CalendarPlan, Window
from tests.two_versions import FIRST, write_two_versions

PLAN = CalendarPlan(every="1d")
NOW = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def pairs(path: Path) -> PairedTable:
    champion, candidate = (described(event_time="ts", label="y", scores=(name,)) for name in "ab")
    return read_pairs(path, champion, candidate, clock=lambda: NOW)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_two_versions(tmp_path / "t.parquet", gain=0.06, days=12, rows=400)
    return tmp_path / "t.parquet"


def with_label_times(path: Path, delay: timedelta) -> Path:
    table = pq.read_table(path)
    known = [at + delay for at in table["ts"].to_pylist()]
    pq.write_table(table.append_column("label_time", pa.array(known, pa.timestamp("us", "UTC"))), path)
    return path


def replayed(table: PairedTable, *, now: datetime = NOW, excluded: tuple[Window, ...] = ()) -> ReplayResult:
    return replay_table(table, DecisionRules(), PLAN, now=now, excluded=excluded)


def test_every_day_is_a_look(path: Path) -> None:
    found = replayed(pairs(path))
    assert [look.at for look in found.result.looks] == [FIRST + number * DAY for number in range(1, 13)]
    assert found.result.verdict == "better"
    assert found.result.rows == found.result.labelled == 12 * 400


def test_files_batches_and_the_order_of_rows_change_nothing(path: Path, tmp_path: Path) -> None:
    whole = replayed(pairs(path))
    table = pq.read_table(path)
    shuffled = table.take(pa.array(np.random.default_rng(0).permutation(table.num_rows)))
    folder = tmp_path / "parts"
    folder.mkdir()
    for number in range(3):
        pq.write_table(shuffled.slice(number * 1_700, 1_700), folder / f"part-{number}.parquet", row_group_size=300)
    again = replayed(pairs(folder))
    assert again.evidence == whole.evidence
    assert again.result == whole.result


def test_a_window_waits_for_the_label_horizon_and_later_labels_do_not_count(path: Path) -> None:
    in_time = replayed(pairs(with_label_times(path, timedelta(days=6))))
    assert in_time.result.labelled == in_time.result.rows
    young = replayed(pairs(path), now=FIRST + 14 * DAY)
    assert len(young.evidence) == 7
    assert "5 windows are not mature" in young.notes[0]


def test_labels_after_the_horizon_are_missing(path: Path) -> None:
    late = replayed(pairs(with_label_times(path, timedelta(days=7, hours=12))))
    assert 0 < late.result.labelled < late.result.rows
    assert late.result.missing > 0
    assert late.result.interval.high > late.result.at_random.high


def test_windows_that_a_version_was_trained_on_are_left_out_and_said_so(path: Path) -> None:
    trained = Window(start=FIRST - DAY, end=FIRST + 3 * DAY + timedelta(hours=1))
    found = replayed(pairs(path), excluded=(trained,))
    assert found.result.windows[0].start == FIRST + 4 * DAY
    assert "4 windows were left out" in found.notes[0]
