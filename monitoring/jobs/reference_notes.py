"""What the owner of a reference table should know of the baseline that it makes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.profile import MAX_CATEGORIES
from monitoring.baseline.undated import FEWEST_ROWS
from monitoring.errors import BadInput
from monitoring.tasks.classification import Classification
from monitoring.traffic.score_classes import better_order
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.tasks.outputs import by_output

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

#: Fewer baseline windows than this detect only large changes.
FEW_WINDOWS = 20

#: A window of fewer rows is joined to the next, unless windows are cut smaller.
MIN_ROWS = 200

#: An error rate below this is suspicious, or one below this part of what the probabilities say, where there are enough
#: labels, and more than one class.
HARDLY_AN_ERROR = 0.002
EXPECTED_PART = 0.5
FEW_LABELS = 500
MOST_OF_ONE_CLASS = 0.95


def min_rows(rows: int, rows_per_window: int | None = None) -> int:
    """The `min_rows` of a new config.

    >>> min_rows(100_000), min_rows(600), min_rows(600, 25), min_rows(50)
    (200, 30, 25, 10)

    Args:
        rows: The rows of the reference.
        rows_per_window: Those of a window, where windows are cut by rows; else None.

    Returns:
        `MIN_ROWS`, or as few as give the reference `FEW_WINDOWS` windows, but no fewer than `FEWEST_ROWS`.
    """
    return min(MIN_ROWS, rows_per_window or MIN_ROWS, max(rows // FEW_WINDOWS, FEWEST_ROWS))


def reference_notes(table: pa.Table, columns: TableColumns, windows: int) -> tuple[str, ...]:
    """Notes on categories of many values, on labels, on the order of classes, on fits, and on few windows.

    Args:
        table: the rows of the baseline, as `RowBatch.table` has them.
        columns: what each column means.
        windows: how many windows they make.

    Returns:
        One sentence or two each.
    """
    notes = [*_many_categories(table, columns)]
    if not columns.answer:
        return (*notes, "The table has no answers of a model: its inputs are watched alone.", *few_windows(windows))
    for output, rows, own in by_output(table, columns):
        notes += [f"Output {output}: {note}" if output else note for note in _answer_notes(rows, own)]
    return (*notes, *few_windows(windows))


def _answer_notes(table: pa.Table, columns: TableColumns) -> Iterator[str]:
    """Notes on labels, and on the order of classes."""
    names = table["label"].drop_null().unique().to_pylist()
    if len(names) == 1:
        yield f"All labels of the reference are {names[0]}: they hardly show how wrong the model is."
    if not names:
        yield "The reference has no labels: inputs and answers are watched, errors are not."
    if columns.predicted is None and columns.classes and columns.exclusive:
        answers, labels = _labelled(table, columns.classes)
        yield from _worse_than_a_guess(answers, labels, columns.classes)
        yield from _too_good(answers, labels)


def check_class_order(table: pa.Table, columns: TableColumns) -> None:
    """Check the order of classes that was inferred from names of score columns, or from the alphabet.

    Args:
        table: the rows of the baseline.
        columns: what each column means.

    Raises:
        BadInput: in another order of the classes the answers are right more often.
    """
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


def few_windows(windows: int) -> tuple[str, ...]:
    """The note that a baseline has few windows; none where it has `FEW_WINDOWS`.

    >>> few_windows(12)
    ('12 windows are few: only large harm is detected; 20 or more are better.',)

    Args:
        windows: How many it has.

    Returns:
        One note, or nothing.
    """
    if windows >= FEW_WINDOWS:
        return ()
    return (f"{windows} windows are few: only large harm is detected; {FEW_WINDOWS} or more are better.",)


def _labelled(table: pa.Table, classes: tuple[str, ...]) -> tuple[Floats, Whole]:
    """The answers, [n, classes], and labels, [n], of the rows that have a label."""
    labels = Classification(classes=classes).label_codes(table["label"])
    answers = np.asarray(table["probabilities"].combine_chunks().flatten()).reshape(len(labels), -1)
    known = (labels >= 0) & (labels < len(classes))
    return answers[known], labels[known]


def _many_categories(table: pa.Table, columns: TableColumns) -> Iterator[str]:
    for name, column in zip(table.column_names, table.columns, strict=True):
        if columns.inputs.get(name) == "category" and (values := len(column.unique())) > MAX_CATEGORIES:
            yield (
                f"{name} has {values:,} values: the {MAX_CATEGORIES} commonest are counted one by one, and all "
                "others together."
            )


def _worse_than_a_guess(answers: Floats, labels: Whole, classes: tuple[str, ...]) -> Iterator[str]:
    """Answers that are wrong more often than always naming the commonest class would be."""
    if not labels.size:
        return
    error = float(np.mean(answers.argmax(axis=1) != labels))
    if error > max(0.5, 1.0 - _commonest(labels)):
        order = ", ".join(classes)
        yield (
            f"{error:.0%} of the labelled rows are answered wrongly: are the classes in the order of the scores "
            f"({order})?"
        )


def _too_good(answers: Floats, labels: Whole) -> Iterator[str]:
    """Answers with hardly an error, or with far fewer than their own probabilities say, as on rows of the fit."""
    if labels.size < FEW_LABELS or _commonest(labels) > MOST_OF_ONE_CLASS:
        return
    error, expected = float(np.mean(answers.argmax(axis=1) != labels)), 1.0 - float(answers.max(axis=1).mean())
    fewer = error < EXPECTED_PART * expected
    if error < HARDLY_AN_ERROR or fewer:
        states = f" where its probabilities promise {expected:.1%}" if fewer else ""
        yield (
            f"The model is wrong in {error:.1%} of {labels.size:,} labelled rows{states}, as on rows that it was "
            "fitted on. If it was, take held-out rows: live losses are larger, and would page."
        )


def _commonest(labels: Whole) -> float:
    """The share of the commonest class."""
    return float(np.bincount(labels).max() / labels.size)
