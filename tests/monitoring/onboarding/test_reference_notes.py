"""Notes on a reference: on each weakness of the baseline that it makes, and on nothing else."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitoring.baseline.profile import MAX_CATEGORIES
from monitoring.errors import BadInput
from monitoring.onboarding.reference_notes import (
    FEW_WINDOWS,
    MIN_ROWS,
    check_class_order,
    min_rows,
    min_rows_note,
    reference_notes,
)
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
        (BOTH, 3, 0.2, FEW_WINDOWS, "100% of the labelled rows are answered wrongly"),
        (BOTH, 3, 0.8, FEW_WINDOWS - 1, f"{FEW_WINDOWS - 1} windows are few"),
    ],
)
def test_each_weakness_has_its_note(labels: list[str | None], names: int, late: float, windows: int, part: str) -> None:
    [note] = reference_notes(table(labels, names=names, late=late), COLUMNS, windows)
    assert note.startswith(part)


def test_without_scores_the_order_of_classes_cannot_be_wrong() -> None:
    answered = TableColumns(event_time="ts", predicted="answer", classes=("no", "yes"), inputs={"who": "category"})
    assert reference_notes(table(BOTH, late=0.2), answered, FEW_WINDOWS) == ()


def wrong_in(errors: int, *, late: float) -> pa.Table:
    """A thousand rows with so many errors, each answered with the probability `late`."""
    labels: list[str | None] = ["no", "yes"] * 500
    rows = table(labels, late=late)
    flipped = [{"no": "yes", "yes": "no"}[str(label)] if at < errors else label for at, label in enumerate(labels)]
    return rows.set_column(2, "label", pa.array(flipped, pa.string()))


@pytest.mark.parametrize(
    ("errors", "late", "told"), [(1, 0.99, True), (40, 0.8, True), (30, 0.97, False), (120, 0.8, False)]
)
def test_losses_too_small_for_rows_held_out_are_told(errors: int, late: float, told: bool) -> None:
    notes = reference_notes(wrong_in(errors, late=late), COLUMNS, FEW_WINDOWS)
    assert [f"The model is wrong in {errors / 1000:.1%} of 1,000 labelled rows" in note for note in notes] == [
        True
    ] * told


def test_a_rare_class_alone_is_not_suspicious() -> None:
    rare: list[str | None] = [*["no"] * 970, *["yes"] * 30]
    assert reference_notes(table(rare, late=0.999), COLUMNS, FEW_WINDOWS) == ()


def test_an_order_of_classes_that_was_inferred_wrongly_is_refused() -> None:
    columns = COLUMNS.replaced(scores=("p1", "p2"))
    rows = table(BOTH)
    swapped = rows.set_column(2, "label", pa.array(BOTH[1:] + BOTH[:1]))
    check_class_order(rows, columns)
    with pytest.raises(BadInput, match="Name them in the order of the scores: --classes yes,no;"):
        check_class_order(swapped, columns)
    for certain in (columns.replaced(scores=("no", "yes")), COLUMNS):  # named by the columns, or by its owner
        check_class_order(swapped, certain)


def test_predicted_numbers_further_away_than_the_median_are_remarked_on() -> None:
    columns = TableColumns(event_time="ts", predicted="p", label="income")
    incomes = np.random.default_rng(1).gamma(3.0, 1_000.0, COUNT)

    def notes(answers: NDArray[np.float64]) -> tuple[str, ...]:
        rows = pa.table(
            {
                "probabilities": pa.array(answers[:, None].tolist(), pa.list_(pa.float64())),
                "label": pa.array([repr(float(income)) for income in incomes]),
            }
        )
        return reference_notes(rows, columns, FEW_WINDOWS)

    (note,) = notes(np.full(COUNT, 0.5))
    assert note.endswith("are p and income the right columns, in one unit?")
    assert notes(incomes * 1.1) == ()


@pytest.mark.parametrize(
    ("rows", "least", "note"),
    [
        (5_000, 200, ""),
        (200, 200, ""),
        (
            150,
            150,
            "so min_rows is 150: nearly each is tested by itself. With min_rows = 200, 2 would be tested together",
        ),
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
