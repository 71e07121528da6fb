"""What the owner of a reference table should know of the baseline that it makes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from monitoring.baseline.profile import MAX_CATEGORIES
from monitoring.tasks.classification import Classification
from monitoring.tasks.task import NO_LABEL
from monitoring.traffic.tables.columns import TableColumns

#: Fewer baseline windows than this detect only large changes.
FEW_WINDOWS = 20


def reference_notes(table: pa.Table, columns: TableColumns, windows: int) -> tuple[str, ...]:
    """Notes on categories of many values, on labels, on the order of classes, and on few windows.

    Args:
        table: the rows of the baseline, as `RowBatch.table` has them.
        columns: what each column means.
        windows: how many windows they make.

    Returns:
        One sentence or two each.
    """
    notes = [*_many_categories(table, columns)]
    names = table["label"].drop_null().unique().to_pylist()
    if len(names) == 1:
        notes.append(f"All labels of the reference are {names[0]}: they hardly show how wrong the model is.")
    if not names:
        notes.append("The reference has no labels: inputs and answers are watched, errors are not.")
    if columns.predicted is None and columns.classes:
        notes += _worse_than_a_guess(table, columns.classes)
    return (*notes, *few_windows(windows))


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


def _many_categories(table: pa.Table, columns: TableColumns) -> Iterator[str]:
    for name, column in zip(table.column_names, table.columns, strict=True):
        if columns.inputs.get(name) == "category" and (values := len(column.unique())) > MAX_CATEGORIES:
            yield (
                f"{name} has {values:,} values: the {MAX_CATEGORIES} commonest are counted one by one, and all "
                "others together."
            )


def _worse_than_a_guess(table: pa.Table, classes: tuple[str, ...]) -> Iterator[str]:
    """Answers that are wrong more often than always naming the commonest class would be."""
    labels = Classification(classes=classes).label_codes(table["label"])
    known = labels != NO_LABEL
    answers = np.asarray(table["probabilities"].combine_chunks().flatten()).reshape(len(labels), -1)[known]
    if not known.any():
        return
    error = float(np.mean(answers.argmax(axis=1) != labels[known]))
    if error > max(0.5, 1.0 - float(np.bincount(labels[known]).max() / known.sum())):
        order = ", ".join(classes)
        yield (
            f"{error:.0%} of the labelled rows are answered wrongly: are the classes in the order of the scores "
            f"({order})?"
        )
