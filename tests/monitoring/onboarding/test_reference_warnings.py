"""Warnings of a reference: of each thing that is probably not meant, and of nothing else."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from monitoring.errors import BadInput
from monitoring.onboarding.reference_warnings import check_class_order, reference_warnings
from monitoring.traffic.tables.columns import TableColumns

COLUMNS = TableColumns(event_time="ts", scores=("p",), classes=("no", "yes"), inputs={"who": "category"})
COUNT = 300


def table(labels: list[str | None], *, late: float = 0.8) -> pa.Table:
    """Rows that answer "yes" with that probability where the label is so, and "no" elsewhere."""
    yes = np.array([late if label == "yes" else 1 - late for label in labels])
    return pa.table(
        {
            "who": [f"name {place % 3}" for place in range(len(labels))],
            "probabilities": pa.array(list(np.stack([1 - yes, yes], axis=1)), pa.list_(pa.float64())),
            "label": pa.array(labels, pa.string()),
        }
    )


BOTH: list[str | None] = ["no", "yes"] * (COUNT // 2)


def test_a_good_reference_has_no_warnings() -> None:
    assert reference_warnings(table(BOTH), COLUMNS, {}) == ()


def test_wrong_answers_are_a_question_of_the_order_or_of_the_columns() -> None:
    (warning,) = reference_warnings(table(BOTH, late=0.2), COLUMNS, {})
    assert warning == (
        "100% of the labelled rows are answered wrongly: are the classes in the order of the scores (no, yes)?"
    )
    answered = TableColumns(event_time="ts", predicted="answer", classes=("no", "yes"), inputs={"who": "category"})
    (warning,) = reference_warnings(table(BOTH, late=0.2), answered, {})
    assert warning.endswith("are answer and label the right columns?")


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
    told_of = reference_warnings(wrong_in(errors, late=late), COLUMNS, {})
    assert [f"The model is wrong in {errors / 1000:.1%} of 1,000 labelled rows" in note for note in told_of] == [
        True
    ] * told


def test_a_rare_class_alone_is_not_suspicious() -> None:
    rare: list[str | None] = [*["no"] * 970, *["yes"] * 30]
    assert reference_warnings(table(rare, late=0.999), COLUMNS, {}) == ()


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
    incomes = 1.5 + np.random.default_rng(1).gamma(3.0, 1_000.0, COUNT)

    def notes(answers: NDArray[np.float64]) -> tuple[str, ...]:
        return reference_warnings(numbers(answers, incomes), columns, {})

    _, note = notes(np.full(COUNT, 0.5))
    assert note.endswith("are p and income the right columns, in one unit?")
    assert notes(incomes * 1.1) == ()


def numbers(answers: NDArray[np.float64], labels: NDArray[np.float64]) -> pa.Table:
    """Rows of predicted numbers."""
    return pa.table(
        {
            "probabilities": pa.array(answers[:, None].tolist(), pa.list_(pa.float64())),
            "label": pa.array([repr(float(label)) for label in labels]),
        }
    )


def test_an_answer_that_is_a_copy_of_the_label_is_told_in_both_tasks() -> None:
    labels = np.random.default_rng(2).gamma(3.0, 10.0, 600)
    of_number = TableColumns(event_time="ts", predicted="cost", label="paid")
    assert reference_warnings(numbers(labels, labels), of_number, {}) == (
        "cost is equal to paid in all 600 labelled rows: is it a copy of the label?",
    )
    assert reference_warnings(numbers(labels + 0.1, labels), of_number, {}) == ()
    answered = COLUMNS.replaced(predicted="answer", scores=())
    (warning,) = reference_warnings(table(BOTH * 2, late=1.0), answered, {})
    assert warning == "answer is equal to label in all 600 labelled rows: is it a copy of the label?"


def test_one_answer_for_all_rows_is_told() -> None:
    rows = table(["no", "yes"] * 50, late=0.5)
    (warning,) = reference_warnings(rows, COLUMNS, {})
    assert warning.startswith("p is the same in all 100 rows: is it the right column?")


def test_a_score_beside_three_classes_is_told_where_it_is_taken_for_a_number() -> None:
    rng = np.random.default_rng(4)
    rows = numbers(rng.random(400), rng.integers(0, 3, 400).astype(np.float64))
    (warning,) = reference_warnings(rows, TableColumns(event_time="ts", scores=("p",), label="grade"), {})
    assert warning.startswith("The labels are 0, 1, 2, and p lies from 0.00")
    assert warning.endswith("name a score for each of them: --score A,B,C.")


def test_a_score_beyond_one_is_a_number_and_no_probability() -> None:
    counts = np.random.default_rng(5).poisson(3.0, 400).astype(np.float64)
    columns = TableColumns(event_time="ts", scores=("expected",), label="rentals")
    assert reference_warnings(numbers(counts + 0.4, counts), columns, {}) == ()


def test_no_rows_have_no_warnings() -> None:
    assert reference_warnings(table(BOTH).slice(0, 0), COLUMNS, {}) == ()


def test_infinite_numbers_and_numbers_as_text_are_told() -> None:
    columns = COLUMNS.replaced(inputs={"who": "category", "income": "number"})
    income = np.where(np.arange(COUNT) % 9 == 0, np.inf, 1.0)
    rows = table(BOTH).append_column("income", pa.array(income))
    assert reference_warnings(rows, columns, {"paid": "numbers as text, such as 1,000", "who_id": "an id"}) == (
        "paid is left out: numbers as text, such as 1,000.",
        "income is infinite in 34 of 300 rows. If that stands for a missing value, write it as one.",
    )
