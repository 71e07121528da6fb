"""An incident in the reference is named by `init`, and harm is paged soon once it is left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from monitoring.errors import BadInput
from monitoring.notebook.monitor import Monitor

START = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = 400
REFERENCE_DAYS = 90
INCIDENT = range(40, 50)


def days(first: int, count: int, seed: int, rise: Sequence[float]) -> pa.Table:
    """Days of a calibrated model whose days differ; `rise` adds errors at random, as a share of rows, [count]."""
    rng = np.random.default_rng(seed)
    logits = 1.6 * rng.normal(size=(count, ROWS))
    truth = 1.0 / (1.0 + np.exp(-logits * np.exp(-0.15 * rng.normal(size=(count, 1)))))
    labels = rng.random((count, ROWS)) < truth
    labels ^= rng.random((count, ROWS)) < 2.0 * np.asarray(rise)[:, None]
    times = [START + timedelta(days=first + day, seconds=200 * row) for day in range(count) for row in range(ROWS)]
    return pa.table(
        {
            "event_time": pa.array(times, pa.timestamp("us", tz="UTC")),
            "score": (1.0 / (1.0 + np.exp(-logits))).ravel(),
            "label": pa.array(np.where(labels.ravel(), "yes", "no")),
        }
    )


def reference(seed: int, rise: float) -> pa.Table:
    """Ninety days, ten of them with more errors."""
    return days(0, REFERENCE_DAYS, seed, [rise if day in INCIDENT else 0.0 for day in range(REFERENCE_DAYS)])


def monitor(table: pa.Table, *leave_out: str) -> Monitor:
    """A monitor of a reference without some days."""
    settings = {"baseline": {"leave_out": list(leave_out)}} if leave_out else None
    return Monitor.from_reference(
        table, scores="score", classes=("no", "yes"), settings=settings, clock=lambda: START + timedelta(days=200)
    )


def told(notes: Sequence[str]) -> list[str]:
    """The notes that name a block."""
    return [note for note in notes if "stand out" in note]


def paged_by(judged: Monitor, seed: int, rise: float) -> bool:
    """Whether ten days with so many more errors are paged."""
    return bool(judged.run(days(REFERENCE_DAYS, 10, seed, [rise] * 10)).paged)


@pytest.mark.parametrize("seed", [0, 1])
def test_an_incident_is_named_with_its_cost_and_left_out_harm_is_paged_within_ten_windows(seed: int) -> None:
    table = reference(seed, 0.1)
    before = monitor(table)
    (note,) = told(before.notes)
    span = re.search(r"--leave-out (\S+),", note)
    assert span is not None
    assert span[1] == "2026-02-10/2026-02-19"
    rises = re.search(
        r"detected is error rate \+(\S+) points, Brier .* with them, and error rate \+(\S+) p.* without", note
    )
    assert rises is not None
    assert float(rises[1]) > 1.5 * float(rises[2])
    assert any(each.startswith("Smallest rise detected within 30 windows: error rate +") for each in before.notes)
    assert not paged_by(before, 1000 + seed, 0.05)
    assert not told(monitor(table, span[1]).notes)
    for rise in (0.05, 0.08):
        assert paged_by(monitor(table, span[1]), 1000 + seed, rise)


def test_a_clean_reference_is_not_told() -> None:
    assert not told(monitor(reference(1, 0.0)).notes)


@pytest.mark.parametrize("span", ["2026-01-01/2026-12-31", "2026-02-19/2026-02-10", "March"])
def test_days_that_leave_nothing_or_are_none_are_refused(span: str) -> None:
    with pytest.raises(BadInput, match=r"leave_out|left out|span of days"):
        monitor(reference(1, 0.0), span)


def test_days_without_a_row_of_the_reference_are_refused_with_those_that_have_some() -> None:
    with pytest.raises(BadInput) as refused:
        monitor(days(0, 30, 1, [0.0] * 30), "2026-01-10", "2025-02-10/2025-02-19")
    assert "leave_out = ['2025-02-10/2025-02-19'], and a reference of 2026-01-01/2026-01-30 (UTC)" in str(refused.value)
