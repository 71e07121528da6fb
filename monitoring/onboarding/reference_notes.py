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
from monitoring.tasks.regression import Regression
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.reference import better_order
from monitoring.traffic.tables.tasks.outputs import by_output
from monitoring.watches.descriptions import plain_number

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

#: Fewer baseline windows than this detect only large changes.
FEW_WINDOWS = 20

#: A window of fewer rows is joined to the next, unless windows are cut smaller.
MIN_ROWS = 200

#: Predicted numbers are suspicious whose mean error is so many times that of the median of the labels.
FAR_NUMBERS = 2.0

#: The share of windows that have as many rows as are tested by themselves, and the fewest rows that are.
USUAL_SHARE = 0.9
FEWEST_TESTED = 30

#: An error rate below this is suspicious, or one below this part of what the probabilities say, where there are enough
#: labels, and more than one class.
HARDLY_AN_ERROR = 0.002
EXPECTED_PART = 0.5
FEW_LABELS = 500
MOST_OF_ONE_CLASS = 0.95


def min_rows(sizes: Whole, rows_per_window: int | None = None) -> int:
    """The `min_rows` of a new config: as many as nearly every window of the reference has, so each is tested alone.

    >>> day = np.array([150, 140, 160, 170, 20] * 8)
    >>> min_rows(np.full(90, 5_000)), min_rows(day[day > 20]), min_rows(np.full(90, 3)), min_rows(day, 25)
    (200, 140, 13, 25)

    Args:
        rows_per_window: Those of a window, where windows are cut by rows; else None.

    Returns:
        The rows that `USUAL_SHARE` of the windows with any have; at least `FEWEST_TESTED`, at most `MIN_ROWS`, and no
        more than give the reference `FEW_WINDOWS` windows, if that is no fewer than `FEWEST_ROWS`.
    """
    some = sizes[sizes > 0]
    usual = int(np.quantile(some, 1.0 - USUAL_SHARE)) if some.size else MIN_ROWS
    most = min(MIN_ROWS, rows_per_window or MIN_ROWS, max(int(sizes.sum()) // FEW_WINDOWS, FEWEST_ROWS))
    return min(max(usual, FEWEST_TESTED), most)


def min_rows_note(sizes: Whole, least: int) -> tuple[str, ...]:
    """What `min_rows` means for windows of few rows, and what another value would; nothing where windows have many.

    >>> min_rows_note(np.full(90, 150), 150)[0].partition(": ")[0]
    'Windows have 150 rows in the median, so min_rows is 150'
    """
    some = sizes[sizes > 0]
    usual = int(np.median(some)) if some.size else MIN_ROWS
    if usual >= MIN_ROWS:
        return ()
    if usual < least:
        message = (
            f"Windows have {usual} rows in the median, and min_rows is {least}: some {-(-least // max(usual, 1))} are "
            "tested together, and harm is told once they are full. A smaller min_rows tells great harm sooner; of few "
            "rows small harm is not seen."
        )
    else:
        message = (
            f"Windows have {usual} rows in the median, so min_rows is {least}: nearly each is tested by itself. With "
            f"min_rows = {MIN_ROWS}, {-(-MIN_ROWS // usual)} would be tested together: their numbers are steadier, and "
            "harm is told some windows later."
        )
    return (message,)


def reference_notes(table: pa.Table, columns: TableColumns, windows: int) -> tuple[str, ...]:
    """Notes on categories of many values, on labels, on the order of classes, on fits, and on few windows."""
    notes = [*_many_categories(table, columns)]
    if not columns.answer:
        return (*notes, "The table has no answers of a model: its inputs are watched alone.", *few_windows(windows))
    for output, rows, output_columns in by_output(table, columns):
        notes += [f"Output {output}: {note}" if output else note for note in _answer_notes(rows, output_columns)]
    return (*notes, *few_windows(windows))


def _answer_notes(table: pa.Table, columns: TableColumns) -> Iterator[str]:
    """Notes on labels, and on the order of classes."""
    names = table["label"].drop_null().unique().to_pylist()
    if len(names) == 1:
        yield f"All labels of the reference are {names[0]}: they hardly show how wrong the model is."
    if not names:
        yield "The reference has no labels: inputs and answers are watched, errors are not."
    if not (columns.classes or columns.numbers or columns.ranking):
        yield from _far_numbers(table, columns)
    if columns.predicted is None and columns.classes and columns.exclusive:
        answers, labels = _labelled(table, columns.classes)
        yield from _worse_than_a_guess(answers, labels, columns.classes)
        yield from _too_good(answers, labels)


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


def few_windows(windows: int) -> tuple[str, ...]:
    """The note that a baseline has few windows; none where it has `FEW_WINDOWS`.

    >>> few_windows(12)
    ('12 windows are few: only large harm is detected; 20 or more are better.',)
    """
    if windows >= FEW_WINDOWS:
        return ()
    return (f"{windows} windows are few: only large harm is detected; {FEW_WINDOWS} or more are better.",)


def _labelled(table: pa.Table, classes: tuple[str, ...]) -> tuple[Floats, Whole]:
    """The answers, [n, classes], and labels, [n], of the rows that have a label."""
    labels = Classification(classes=classes).label_codes(table["label"])
    answers = np.asarray(table["probabilities"].combine_chunks().flatten()).reshape(len(labels), -1)
    has_class = (labels >= 0) & (labels < len(classes))
    return answers[has_class], labels[has_class]


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


def _far_numbers(table: pa.Table, columns: TableColumns) -> Iterator[str]:
    """Predicted numbers that are further from the labels than one number for all rows would be."""
    labels = Regression().read_labels(Regression().label_codes(table["label"])).astype(np.float64)
    answers = np.asarray(table["probabilities"].combine_chunks().flatten()).reshape(len(labels), -1)[:, 0]
    is_usable = table["label"].is_valid().to_numpy() & np.isfinite(answers) & np.isfinite(labels)
    if not is_usable.any():
        return
    error = float(np.mean(np.abs(labels - answers)[is_usable]))
    constant = float(np.mean(np.abs(labels[is_usable] - np.median(labels[is_usable]))))
    if error > FAR_NUMBERS * constant > 0.0:
        yield (
            f"The predicted numbers are {plain_number(error)} from the labels in the mean, and their median alone "
            f"would be {plain_number(constant)}: are {columns.answer[0]} and {columns.label} the right columns, in one "
            "unit?"
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
