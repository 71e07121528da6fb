"""Subgroups are found in live windows against the reference, of the surprise of the incident's loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from monitoring.config import MonitorConfig, load_config
from monitoring.records import WindowRecord
from monitoring.subgroups.subgroup_rows import read_subgroups
from tests.dashboard_store import EXAMPLES
from tests.small_deployment import LATER, LIVE, ROWS_A_DAY, Days

DAY = timedelta(days=1)


@pytest.fixture
def config(deployed: Path, send: Callable[..., None]) -> MonitorConfig:
    send(deployed, Days(days=8, broken_from=0))
    return load_config(deployed / "monitor.toml")


def windows(days: int) -> list[WindowRecord]:
    example: WindowRecord = EXAMPLES["make_status"](windows=1).windows[0]
    return [
        replace(example, start=LIVE + day * DAY, end=LIVE + (day + 1) * DAY, rows=ROWS_A_DAY) for day in range(days)
    ]


@pytest.mark.parametrize(
    ("wanted", "compared"),
    [("brier", "surprise_brier"), ("surprise_error", "surprise_error"), ("input:temp:location", "surprise_error")],
)
def test_the_surprise_of_the_loss_is_compared(config: MonitorConfig, wanted: str, compared: str) -> None:
    found = read_subgroups(config, 1, windows(8), wanted, lambda: LATER)
    assert found is not None
    assert found.watch.name == compared
    assert len(found.windows) == 8
    assert 0 < found.rows <= 8 * ROWS_A_DAY
    for one in found.subgroups:
        assert {each.input for each in one.conditions} <= {"temp", "origin"}
        assert one.rise > one.others


def test_without_windows_there_are_no_rows(config: MonitorConfig) -> None:
    found = read_subgroups(config, 1, (), "brier", lambda: LATER)
    assert found is not None
    assert (found.rows, found.subgroups) == (0, ())
