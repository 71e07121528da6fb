"""Models that predict several numbers in one output: the labels of a reference, and the output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from monitoring.errors import BadInput
from monitoring.tasks.label_codes import has_label
from monitoring.tasks.number_codes import list_lengths, number_list_codes
from monitoring.traffic.cells import class_names, decoded, is_list
from monitoring.traffic.tables.rows import joined
from monitoring.traffic.tables.rows import listed as listed_numbers
from serving.export.outputs.probabilities import EMBEDDING, LOGITS
from serving.export.reference_labels import is_number_type, is_string_type, listed, number_texts

Array = np.ndarray[Any, Any]

#: Labels that an error quotes, at most.
_QUOTED: Final = 3


def labels_of_vectors(
    table: pa.Table, label: str, label_columns: Sequence[str], *, declared: bool, names: Sequence[str] = ()
) -> tuple[pa.ChunkedArray[Any], tuple[str, ...]] | None:
    """Labels of several numbers, as text, and what each number is called.

    >>> texts, names = labels_of_vectors(pa.table({"y": [[1.5, 2.0], None]}), "y", (), declared=False)
    >>> texts.to_pylist(), names
    (['[1.5,2]', None], ('[0]', '[1]'))

    Args:
        declared: Whether the owner says that numbers are predicted: 0 and 1 are numbers then, and no sets of classes.
        names: What the numbers are called; none: as their columns, or by their places.

    Returns:
        Text [n], null where a number is missing, and names; None where labels are not several numbers.
    """
    texts = _texts(table, label, label_columns, declared=declared)
    if texts is None:
        return None
    non_null = pa.chunked_array([texts.drop_null()], pa.string())
    lengths = np.unique(list_lengths(non_null))
    width = len(label_columns) or int(lengths.max(initial=1))
    codes = number_list_codes(non_null, width)
    wrong = non_null.filter(pa.array(~has_label(codes))).unique().to_pylist()
    if wrong and not declared:
        return None
    if wrong:
        raise BadInput(
            f"The labels of the reference are not {width} numbers.",
            got=listed(wrong[:_QUOTED]),
            expected="as many numbers in each row: a column for each, or lists",
            fix="Name the right columns with --label, or leave rows with other labels out.",
        )
    values = codes.view(np.float64)
    if not declared and np.isin(values, (0.0, 1.0)).all():
        return None
    called = tuple(names or label_columns) or tuple(f"[{place}]" for place in range(width))
    if len(called) != width:
        raise BadInput(
            f"The labels of the reference are {width} numbers, and names are given for another number of them.",
            got=f"--classes {','.join(called)}, {len(called)} names",
            expected=f"{width} names, in the order of the output",
            fix="Name each number, or leave --classes out.",
        )
    return pa.chunked_array([texts]), called


def find_vector_output(answers: Mapping[str, Array], width: int, output: str | None = None) -> str:
    """Find the output that holds the numbers of which the label is the truth.

    >>> find_vector_output({"outputs": np.zeros((5, 3), np.float32)}, 3)
    'outputs'

    Args:
        answers: Outputs by name, [n, …].
    """
    named = {output: answers[output]} if output is not None else answers
    fitting = [
        name
        for name, value in named.items()
        if value.dtype.kind == "f" and value.shape[1:] == (width,) and name not in {EMBEDDING, LOGITS}
    ]
    if len(fitting) != 1:
        raise BadInput(
            "Several outputs of the model fit the labels." if fitting else "No output of the model fits the labels.",
            got="outputs " + ", ".join(f"{name} {list(value.shape[1:])}" for name, value in named.items()),
            expected=f"one output of {width} numbers a row, as each label has",
            fix=f"Name it: --output {fitting[0]}." if fitting else "Give a label for each number of the output.",
        )
    return fitting[0]


def _texts(table: pa.Table, label: str, label_columns: Sequence[str], *, declared: bool) -> pa.Array | None:
    """Labels as the text of lists; None where they are not several columns, lists or such text."""
    if label_columns:
        cells = [table[name] for name in label_columns]
        if all(is_number_type(column.type) for column in cells):
            return joined([number_texts(column).combine_chunks() for column in cells])
        return joined([class_names(decoded(column)) for column in cells]) if declared else None
    if label not in table.column_names:
        return None
    cells = decoded(table[label])
    if is_list(cells.type):
        return listed_numbers(cells) if is_number_type(cells.type.value_type) else None
    if not (declared and is_string_type(cells.type)):
        return None
    texts = cells.cast(pa.string())
    return texts if (list_lengths(pa.chunked_array([texts.drop_null()], pa.string())) > 1).any() else None
