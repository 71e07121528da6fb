"""The labels of a table's rows as text, as servers take them: of one column, or of several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from monitoring.errors import BadInput
from monitoring.tasks.label_objects import label_object
from monitoring.traffic.cells import decoded, is_list
from monitoring.traffic.tables.rows import listed
from serving.export.export import Reference
from serving.export.outputs.several_outputs import labels_of_outputs
from serving.export.reference_labels import LABEL

if TYPE_CHECKING:
    from collections.abc import Mapping


def label_texts(table: pa.Table, label: str) -> list[str | None]:
    """Read labels as `pitfalls export --label` does.

    >>> label_texts(pa.table({"kind": ["a", "b"], "paid": [1.5, None]}), "kind=kind,price=paid")
    ['{"kind":"a","price":"1.5"}', '{"kind":"b"}']

    Args:
        label: A column of labels: text, numbers, lists, or structs with a part for each output; or ``A,B,C``, columns
            of a 0 or 1 for each class or of numbers; or ``OUTPUT=COLUMN,…`` for several outputs.

    Returns:
        The text of each row's label, [n]; None where there is none.

    Raises:
        BadInput: There is no such column, or its values are no labels.
    """
    names = [name.strip() for name in label.split(",")]
    if label not in table.column_names and len(names) + ("=" in label) > 1:
        pairs: Mapping[str, str] = dict(name.split("=", 1) for name in names if "=" in name)
        if pairs and len(pairs) != len(names):
            raise BadInput(
                "Several outputs with a label each are all named with their columns.",
                got=f"--label {label}",
                expected="--label OUTPUT=COLUMN,OUTPUT=COLUMN",
                fix="For example --label kind=was_kind,price=paid.",
            )
        if pairs:
            return _plain(labels_of_outputs(table, pairs))
        _check_columns(table, names)
        given = Reference(table=table, label_columns=tuple(names)).with_lists().table
        return [] if given is None else _texts(given[LABEL], label)
    _check_columns(table, [label])
    return _texts(table[label], label)


def _texts(labels: pa.ChunkedArray, name: str) -> list[str | None]:
    column = decoded(labels)
    if pa.types.is_struct(column.type):
        return [None if value is None else label_object(value) for value in column.to_pylist()]
    if is_list(column.type):
        return _plain(listed(column))
    try:
        return _plain(column.cast(pa.string()))
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
        raise BadInput(
            f"Column {name!r} has no labels.",
            got=str(column.type),
            expected="text, numbers, booleans, lists, or structs with a part for each output",
            fix="Convert the column, or name one column for each output: --label OUTPUT=COLUMN,OUTPUT=COLUMN.",
        ) from error


def _plain(texts: Any) -> list[str | None]:
    plain: list[str | None] = texts.to_pylist()
    return plain


def _check_columns(table: pa.Table, names: list[str]) -> None:
    absent: Any = [name for name in names if name not in table.column_names]
    if absent:
        raise BadInput(
            f"The table has no column {absent[0]!r}.",
            got=", ".join(table.column_names)[:300],
            expected="a column of labels; or A,B,C; or OUTPUT=COLUMN,OUTPUT=COLUMN",
            fix="Pass the right --label.",
        )
