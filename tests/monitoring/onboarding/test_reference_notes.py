"""Notes on a reference: on each weakness of the baseline that it makes, and on nothing else."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline.profile import MAX_CATEGORIES
from monitoring.onboarding.reference_notes import FEW_WINDOWS, MIN_ROWS, min_rows, min_rows_note, reference_notes
from monitoring.traffic.tables.columns import TableColumns

COLUMNS = TableColumns(event_time="ts", scores=("p",), classes=("no", "yes"), inputs={"who": "category"})
COUNT = 300


def table(labels: list[str | None], *, names: int = 3, late: float = 0.8) -> pa.Table:
    """Rows that answer "yes" with that probability where the label is so, and "no" elsewhere."""
    yes = np.array([late if label == "yes" else 1 - late for label in labels])
    return pa.table(
        {
            "who": [f"name {place % names}" for place in range(len(labels))],
            "probabilities": pa.array(list(np.stack([1 - yes, yes], axis=1)), pa.list_(pa.float64())),
            "label": pa.array(labels, pa.string()),
        }
    )


BOTH: list[str | None] = ["no", "yes"] * (COUNT // 2)


def test_a_good_reference_has_no_notes() -> None:
    assert reference_notes(table(BOTH), COLUMNS, FEW_WINDOWS) == ()


@pytest.mark.parametrize(
    ("labels", "names", "late", "windows", "part"),
    [
        (BOTH, MAX_CATEGORIES + 1, 0.8, FEW_WINDOWS, f"who has {MAX_CATEGORIES + 1} values"),
        (["no"] * COUNT, 3, 0.8, FEW_WINDOWS, "All labels of the reference are no"),
        ([None] * COUNT, 3, 0.8, FEW_WINDOWS, "The reference has no labels"),
        (BOTH, 3, 0.8, FEW_WINDOWS - 1, f"{FEW_WINDOWS - 1} windows are few"),
    ],
)
def test_each_weakness_has_its_note(labels: list[str | None], names: int, late: float, windows: int, part: str) -> None:
    [note] = reference_notes(table(labels, names=names, late=late), COLUMNS, windows)
    assert note.startswith(part)


@pytest.mark.parametrize(
    ("rows", "least", "note"),
    [
        (5_000, 200, ""),
        (200, 200, ""),
        (150, 150, "so min_rows is 150: nearly each is tested by itself."),
        (6, 30, "and min_rows is 30: some 5 are tested together"),
    ],
)
def test_min_rows_are_those_of_the_windows_and_what_they_mean_is_said(rows: int, least: int, note: str) -> None:
    sizes = np.array([rows, 0] * 120)
    assert min_rows(sizes) == least
    assert note in "".join(min_rows_note(sizes, least))
    assert bool(min_rows_note(sizes, least)) == bool(note)


@given(st.lists(st.integers(0, 2_000), min_size=1, max_size=60), st.none() | st.integers(1, 500))
def test_min_rows_are_at_most_those_of_the_default_and_of_a_window(sizes: list[int], by_rows: int | None) -> None:
    found = min_rows(np.array(sizes), by_rows)
    assert 1 <= found <= min(MIN_ROWS, by_rows or MIN_ROWS)
