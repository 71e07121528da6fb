"""The labels of a reference table: as text, as names of classes, as sets of classes, and as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from monitoring.errors import BadInput
from monitoring.tasks.multilabel import Multilabel
from monitoring.traffic.cells import as_doubles, decoded, is_list
from monitoring.traffic.cells import class_names as names_of
from monitoring.traffic.tables.rows import joined
from monitoring.traffic.tables.rows import listed as listed_sets

#: The column of labels in a matched table.
LABEL: Final = "label"

#: Classes that an error lists, at most; of more the first are listed.
LISTED = 50

#: Whole numbers beyond it are not told apart as floats.
_LARGEST_WHOLE = 2.0**53


def class_names(column: pa.ChunkedArray[Any], classes: tuple[str, ...]) -> pa.ChunkedArray[Any]:
    """Convert labels to class names; integers are indices of classes.

    >>> class_names(pa.chunked_array([[1, 0, None]]), ("on_time", "late")).to_pylist()
    ['late', 'on_time', None]

    Args:
        classes: The classes, in the order of the probabilities.

    Returns:
        Class names, n rows; null for labels that are neither a class nor an index of one.
    """
    texts = labels_as_text(column)
    names = pa.array(classes, pa.string())
    indices = pc.coalesce(
        pc.index_in(texts, names), pc.index_in(texts, pa.array([str(index) for index in range(len(classes))]))
    )
    return pc.take(names, indices)


def labels_as_text(column: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    """Labels as text; 1.0, 1 and true are all "1", NaN is null.

    >>> labels_as_text(pa.chunked_array([[1.0, float("nan"), None]])).to_pylist()
    ['1', None, None]
    """
    kind = column.type
    if pa.types.is_boolean(kind):
        return column.cast(pa.int8()).cast(pa.string())
    if pa.types.is_decimal(kind):
        column = as_doubles(column)
        kind = column.type
    if pa.types.is_floating(kind):
        empty = pc.is_nan(pc.fill_null(column, float("nan")))
        column = pc.if_else(empty, pa.scalar(None, kind), column)
        whole = pc.and_(pc.equal(pc.floor(column), column), pc.less(pc.abs(column), _LARGEST_WHOLE))
        if pc.all(whole).as_py() is not False:
            return column.cast(pa.int64()).cast(pa.string())
    return column.cast(pa.string())


def without_empty(labels: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    """Labels with null in place of empty text, which is how a CSV file has an unknown label."""
    kind = labels.type.value_type if pa.types.is_dictionary(labels.type) else labels.type
    if not is_string_type(kind):
        return labels
    texts = labels.cast(kind)
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, kind), texts)


def is_string_type(kind: pa.DataType) -> bool:
    """Whether a column of this type holds plain strings."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def is_text_type(kind: pa.DataType) -> bool:
    """Whether labels of this type are text, and not indices of classes."""
    return is_string_type(kind) or bool(pa.types.is_dictionary(kind))


def is_label_type(kind: pa.DataType) -> bool:
    """Whether a column of this type can hold labels."""
    return bool(is_text_type(kind) or pa.types.is_boolean(kind) or is_number_type(kind))


def is_number_type(kind: pa.DataType) -> bool:
    """Whether a column of this type holds numbers; booleans are classes."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def labels_of_sets(table: pa.Table, label: str, label_columns: Sequence[str]) -> pa.ChunkedArray[Any] | None:
    """Labels that are sets of classes, as text that `monitoring.tasks.multilabel` reads.

    >>> labels_of_sets(pa.table({"y": [["a", "b"], []]}), "y", ()).to_pylist()
    ['a|b', '[]']

    Args:
        label_columns: Instead of it, a column of 0 and 1 for each class; all are there.

    Returns:
        Text [n], null where a label is not known; None where labels are neither lists of names nor of 0 and 1.
    """
    if label_columns:
        return pa.chunked_array([joined([names_of(decoded(table[name])) for name in label_columns])])
    if label not in table.column_names:
        return None
    cells = decoded(table[label])
    if not is_list(cells.type):
        return None
    values = pc.list_flatten(cells)
    if is_number_type(values.type) and not pc.all(pc.is_in(values.cast(pa.float64()), pa.array([0.0, 1.0]))).as_py():
        return None
    is_readable = is_number_type(values.type) or is_text_type(values.type) or pa.types.is_boolean(values.type)
    return pa.chunked_array([listed_sets(cells)]) if is_readable or not len(values) else None


def check_sets(table: pa.Table | None, label: str, classes: tuple[str, ...]) -> None:
    """Check that classes can be told apart in a label, and that labels name no others."""
    texts = pa.chunked_array([], pa.string())
    if table is not None and label in table.column_names:
        texts = pc.unique(without_empty(labels_as_text(table[label]))).drop_null()
    if not classes:
        raise BadInput(
            "The classes have to be named.",
            got=f"labels {listed(sorted(texts.to_pylist())[:LISTED]) or '(none)'}",
            expected="the classes in the order of the model's output",
            fix="Name all of them in that order: --classes sports,politics,science.",
        )
    task = Multilabel(classes=classes).check()
    wrong = texts.filter(pa.array(task.unknown(task.label_codes(pa.chunked_array([texts]))))).to_pylist()
    if wrong:
        raise BadInput(
            "Labels of the reference table name none of the classes.",
            got=listed(sorted(wrong)[:LISTED]),
            expected=f"some of {listed(classes)}: a|b, a list, or a 0 or 1 for each class",
            fix="Name the classes in the order of the model's output, as the labels are: --classes a,b,c.",
        )


def number_texts(column: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    """Labels that are numbers, as text.

    >>> number_texts(pa.chunked_array([[1.5, float("nan"), None, 20.0]])).to_pylist()
    ['1.5', None, None, '20']

    Args:
        column: Numbers [n].

    Returns:
        Text [n], from which the same float64 is read; null where there is no finite number.
    """
    values = as_doubles(column)
    is_finite = pc.fill_null(pc.is_finite(values), fill_value=False)
    return pc.if_else(is_finite, values, pa.scalar(None, pa.float64())).cast(pa.string())


def listed(names: Sequence[str]) -> str:
    """Class names for an error: all of them, or the first 50 and how many there are.

    >>> listed(["a", "b"])
    'a, b'
    """
    if len(names) <= LISTED:
        return ", ".join(names)
    return f"{', '.join(names[:LISTED])}, … ({len(names):,} in all)"
