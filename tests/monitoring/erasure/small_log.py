"""A log of a few predictions of several people over two days, converted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.labels.label_writer import LabelWriter
from monitoring.traffic.log.writer import TrafficWriter

NOON = datetime(2013, 4, 1, 12, tzinfo=UTC)
PEOPLE = (b"ada@example.org", b"bob@example.org", b"cyd@example.org")


def write_log(root: Path, answer: Callable[..., AnsweredRows], *, close: bool = True) -> TrafficWriter:
    """Requests r0 to r5 of two rows each: `email` names one of three people, the other input their number."""
    writer = TrafficWriter(root, clock=lambda: NOON)
    for number in range(6):
        rows = answer(f"r{number}", 2, at=NOON + timedelta(days=number % 2))
        people = np.array([PEOPLE[number % 3], PEOPLE[(number + 1) % 3]], dtype=object)
        writer.append(replace(rows, inputs={**rows.inputs, "email": people, "customer": rows.inputs["temp"] + number}))
    if close:
        writer.close()
    return writer


def write_labels(root: Path, *ids: str) -> None:
    """A label "1" for each id."""
    writer = LabelWriter(root, clock=lambda: NOON)
    writer.append(list(ids), ["1"] * len(ids), np.zeros(len(ids), np.int64))
    writer.close()
