"""What in a reference is probably not meant: a column in place of another, a copy of the labels, a wrong order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.errors import BadInput
from monitoring.tasks.classification import Classification
from monitoring.tasks.regression import Regression
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.reference import better_order
from monitoring.traffic.tables.tasks.numbers import MOST_WHOLE_NUMBERS
from monitoring.traffic.tables.tasks.outputs import by_output
from monitoring.traffic.value_kinds import NUMBERS_AS_TEXT
from monitoring.watches.descriptions import plain_number

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

#: Predicted numbers are suspicious whose mean error is so many times that of the median of the labels.
FAR_NUMBERS = 2.0

#: An error rate below this is suspicious, or one below this part of what the probabilities say, where there are enough
#: labels, and more than one class.
HARDLY_AN_ERROR = 0.002
EXPECTED_PART = 0.5
FEW_LABELS = 500
MOST_OF_ONE_CLASS = 0.95

#: Answers that are the same in all of so many rows are no answers of a model that distinguishes its rows.
FEW_ANSWERS = 50


def reference_warnings(table: pa.Table, columns: TableColumns, left_out: Mapping[str, str]) -> tuple[str, ...]:
    """What the owner should check before the monitor is used; nothing of a table as one expects it.

    Args:
        table: Rows with a usable answer, as `BaselineRows.table`.
        left_out: Columns that are no inputs, with the reason.

    Returns:
        Sentences, each with the column, the number that stands out, and a question or a next step.
    """
    warnings = [f"{name} is left out: {why}." for name, why in left_out.items() if why.startswith(NUMBERS_AS_TEXT)]
    warnings += _infinite(table, columns)
    if columns.answer:
        for output, rows, output_columns in by_output(table, columns):
            warnings += [
                f"Output {output}: {warning}" if output else warning for warning in _of_answers(rows, output_columns)
            ]
    return tuple(warnings)


def _of_answers(table: pa.Table, columns: TableColumns) -> Iterator[str]:
    if columns.ranking or not columns.exclusive or not table.num_rows:
        return
    yield from _one_answer(table, columns)
    if columns.numbers:
        return
    if columns.classes:
        answers, labels = _labelled(table, columns.classes)
        yield from _worse_than_a_guess(answers, labels, columns)
        yield from _too_good(answers, labels, columns)
    else:
        yield from _of_numbers(table, columns)


def check_class_order(table: pa.Table, columns: TableColumns) -> None:
    """Check the order of classes that was inferred from names of score columns, or from the alphabet."""
    if len(columns.scores) < 2 or columns.numbers or not columns.exclusive or columns.classes == columns.scores:
        return
    classes = columns.classes
    better = better_order(*_labelled(table, classes), classes)
    if better is not None:
        raise BadInput(
            "The scores fit the labels better in another order of the classes.",
            got=f"classes {', '.join(classes)}, inferred for the scores {', '.join(columns.scores)}",
            expected=f"{', '.join(better)}, by the labels",
            fix=f"Name them in the order of the scores: --classes {','.join(better)}; or, if the model is no better, "
            f"--classes {','.join(classes)}.",
        )


def _worse_than_a_guess(answers: Floats, labels: Whole, columns: TableColumns) -> Iterator[str]:
    """Answers that are wrong more often than always naming the commonest class would be."""
    if not labels.size:
        return
    error = float(np.mean(answers.argmax(axis=1) != labels))
    if error > max(0.5, 1.0 - _commonest(labels)):
        question = (
            f"are {columns.predicted} and {columns.label} the right columns?"
            if columns.predicted
            else f"are the classes in the order of the scores ({', '.join(columns.classes)})?"
        )
        yield f"{error:.0%} of the labelled rows are answered wrongly: {question}"


def _too_good(answers: Floats, labels: Whole, columns: TableColumns) -> Iterator[str]:
    """Answers with hardly an error, or with far fewer than their own probabilities say, as on rows of the fit."""
    if labels.size < FEW_LABELS or _commonest(labels) > MOST_OF_ONE_CLASS:
        return
    error, expected = float(np.mean(answers.argmax(axis=1) != labels)), 1.0 - float(answers.max(axis=1).mean())
    fewer = error < EXPECTED_PART * expected
    if columns.predicted and not error:
        yield _copy(columns, labels.size)
    elif error < HARDLY_AN_ERROR or fewer:
        states = f" where its probabilities promise {expected:.1%}" if fewer else ""
        yield (
            f"The model is wrong in {error:.1%} of {labels.size:,} labelled rows{states}, as on rows that it was "
            "fitted on. If it was, take held-out rows: live losses are larger, and would page."
        )


def _of_numbers(table: pa.Table, columns: TableColumns) -> Iterator[str]:
    """A predicted number that is the label, far from it, or a probability beside classes."""
    labels = Regression().read_labels(Regression().label_codes(table["label"])).astype(np.float64)
    answers = np.asarray(table["probabilities"].combine_chunks().flatten()).reshape(len(labels), -1)[:, 0]
    is_usable = table["label"].is_valid().to_numpy() & np.isfinite(answers) & np.isfinite(labels)
    answers, labels = answers[is_usable], labels[is_usable]
    if not labels.size:
        return
    values = np.unique(labels)
    are_shares = columns.predicted is None and bool(((answers >= 0) & (answers <= 1)).all())
    if are_shares and values.size <= MOST_WHOLE_NUMBERS and (values == np.rint(values)).all():
        named = ", ".join(f"{value:g}" for value in values[:5])
        yield (
            f"The labels are {named}{', …' if values.size > 5 else ''}, and {columns.answer[0]} lies from "
            f"{answers.min():.3g} to {answers.max():.3g}: it is taken as a predicted number. If the labels are "
            "classes, name a score for each of them: --score A,B,C."
        )
    if labels.size >= FEW_LABELS and values.size > 1 and (answers == labels).all():
        yield _copy(columns, labels.size)
    error = float(np.mean(np.abs(labels - answers)))
    constant = float(np.mean(np.abs(labels - np.median(labels))))
    if error > FAR_NUMBERS * constant > 0.0:
        yield (
            f"The predicted numbers are {plain_number(error)} from the labels in the mean, and their median alone "
            f"would be {plain_number(constant)}: are {columns.answer[0]} and {columns.label} the right columns, in one "
            "unit?"
        )


def _one_answer(table: pa.Table, columns: TableColumns) -> Iterator[str]:
    """Answers that are the same in all rows."""
    if table.num_rows < FEW_ANSWERS:
        return
    answers = np.asarray(table["probabilities"].combine_chunks().flatten()).reshape(table.num_rows, -1)
    if (answers == answers[0]).all():
        yield (
            f"{', '.join(columns.answer)} is the same in all {table.num_rows:,} rows: is it the right column? Constant "
            "answers of live rows are not told beside such a reference."
        )


def _copy(columns: TableColumns, rows: int) -> str:
    return f"{columns.answer[0]} is equal to {columns.label} in all {rows:,} labelled rows: is it a copy of the label?"


def _infinite(table: pa.Table, columns: TableColumns) -> Iterator[str]:
    for name in columns.inputs:
        if pa.types.is_floating(table[name].type) and (rows := pc.sum(pc.is_inf(table[name])).as_py()):
            yield (
                f"{name} is infinite in {rows:,} of {table.num_rows:,} rows. If that stands for a missing value, write "
                "it as one."
            )


def _labelled(table: pa.Table, classes: tuple[str, ...]) -> tuple[Floats, Whole]:
    """The answers, [n, classes], and labels, [n], of the rows that have a label."""
    labels = Classification(classes=classes).label_codes(table["label"])
    answers = np.asarray(table["probabilities"].combine_chunks().flatten()).reshape(len(labels), -1)
    has_class = (labels >= 0) & (labels < len(classes))
    return answers[has_class], labels[has_class]


def _commonest(labels: Whole) -> float:
    """The share of the commonest class."""
    return float(np.bincount(labels).max() / labels.size)
