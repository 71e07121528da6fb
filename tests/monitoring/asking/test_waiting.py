"""Rows that wait for a label are counted without being read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np

from monitoring.asking.ask import ask, labels_root, open_asked
from monitoring.asking.waiting import rows_without_label
from monitoring.config import load_config
from monitoring.timestamps import as_microseconds
from monitoring.traffic.labels.asked_rows import AskedRows
from monitoring.traffic.labels.label_writer import LabelWriter
from tests.small_deployment import LIVE, Days


def _at(time: datetime) -> datetime:
    return time


def test_rows_wait_until_they_have_a_label_or_it_would_come_late(budgeted: Path, send: Callable[..., None]) -> None:
    send(budgeted, Days(days=21), labels=False)
    config = load_config(budgeted / "monitor.toml")
    assert rows_without_label(config, LIVE) == 0
    days = (2, 7, 8, 15, 20)
    times = [LIVE + timedelta(days=day, hours=7) for day in days]
    asked = [ask(config, clock=partial(_at, time), seed=4) for time in times]
    drawn = [0 if each.draw is None else len(each.draw) for each in asked]
    now = LIVE + timedelta(days=20, hours=7)
    assert rows_without_label(config, now) == sum(drawn)
    writer = LabelWriter(labels_root(config), clock=lambda: now)
    writer.append(asked[-1].rows.ids[:9], ["late"] * 9, np.full(9, as_microseconds(now)))
    writer.append(asked[-1].rows.ids[:2], ["on_time"] * 2, np.full(2, as_microseconds(now)))
    writer.close()
    assert rows_without_label(config, now) == sum(drawn) - 9
    draws = AskedRows(labels_root(config), config.name)
    for day in (21.0, 29.0, 33.0, 41.5):
        first = LIVE + timedelta(days=day - 28)
        starts = [draw.start for draw in draws.draws() if draw.end > first]
        assert [draw.start for draw in draws.latest(first)] == starts
        left = open_asked(config, clock=partial(_at, LIVE + timedelta(days=day))).rows
        assert rows_without_label(config, LIVE + timedelta(days=day)) == len(left)
    assert rows_without_label(config, LIVE + timedelta(days=60)) == 0
    assert rows_without_label(None, now) == 0
