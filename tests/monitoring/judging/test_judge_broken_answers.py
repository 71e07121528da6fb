"""Traffic whose answers or inputs are gone: reported, and over once rows show it, not while there are none."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from monitoring.records import MonitorStatus
from tests.own_table import own_rows, watch
from tests.small_deployment import Days

DAYS = Days(days=20)


def broken(column: str, days: np.ndarray, part: float) -> pa.Table:
    """Twenty days of which `days` lack a part of one column's values."""
    rows = own_rows(DAYS)
    first = pc.min(rows["ts"]).as_py().replace(hour=0, minute=0, second=0, microsecond=0)
    number = np.array([(moment - first) // timedelta(days=1) for moment in rows["ts"].to_pylist()])
    gone = np.isin(number, days) & (np.arange(len(number)) % 100 < 100 * part)
    values = pc.if_else(pa.array(gone), None, rows[column])
    return rows.set_column(rows.column_names.index(column), column, values)


def pages(found: MonitorStatus) -> list[tuple[str, str, str]]:
    return [(i.watch, i.slice, i.state) for i in found.incidents if i.level == "page"]


@pytest.mark.parametrize("part", [0.5, 0.97, 1.0])
def test_unusable_answers_are_a_page_while_they_last(tmp_path: Path, part: float) -> None:
    """Of half, some windows are below the limit of a fact: the watch, which the page tells too, keeps it open."""
    watched = watch(tmp_path)
    watched.live("all.parquet", broken("late", np.arange(8, 20), part))
    _, found = watched.run()
    assert pages(found) == [("schema", "model answers", "open")], "the fact and the watch's evidence are one page"
    (incident,) = (i for i in found.incidents if i.level == "page")
    assert "Evidence of the watches: Invalid predictions 0 \N{RIGHTWARDS ARROW} " in incident.message
    assert incident.window_start == found.windows[8].start
    assert incident.detail.rows


def test_a_page_of_unusable_answers_is_closed_when_they_are_back(tmp_path: Path) -> None:
    watched = watch(tmp_path)
    watched.live("all.parquet", broken("late", np.arange(2, 6), 1.0))
    _, found = watched.run()
    assert pages(found) == [("schema", "model answers", "closed")]


@pytest.mark.parametrize("thin", [0, 5])
def test_days_without_enough_rows_do_not_close_a_fact(tmp_path: Path, thin: int) -> None:
    watched = watch(tmp_path)
    rows = broken("temp", np.arange(4, 20), 1.0)
    day = np.arange(len(rows)) // (len(rows) // 20)
    place = np.arange(len(rows)) % (len(rows) // 20)
    watched.live("all.parquet", rows.filter(pa.array((day < 8) | (day > 14) | (place < thin))))
    _, found = watched.run()
    assert [state for watch_, part, state in pages(found) if (watch_, part) == ("schema", "temp")] == ["open"]


@pytest.mark.parametrize("quiet", [0, 2])
@pytest.mark.parametrize("moved", [-30.0, 60.0])
def test_the_cause_names_the_onset_of_a_fall_too_and_after_days_without_rows(
    tmp_path: Path, moved: float, quiet: int
) -> None:
    watched = watch(tmp_path)
    rows = own_rows(DAYS)
    day = np.arange(len(rows)) // (len(rows) // 20)
    temp = np.asarray(rows["temp"]) + np.where(day >= 8, moved, 0.0).astype(np.float32)
    rows = rows.set_column(rows.column_names.index("temp"), "temp", pa.array(temp))
    watched.live("all.parquet", rows.filter(pa.array((day < 8 - quiet) | (day >= 8))))
    _, found = watched.run()
    incident = next(i for i in found.incidents if i.level == "notice")
    start = found.windows[8].start
    assert f"since {start.day} {start:%B %Y}" in incident.message
