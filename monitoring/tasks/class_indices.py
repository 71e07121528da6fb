"""Class names, or class numbers as text, as indices."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.tasks.task import NO_LABEL, Whole

#: How booleans are written that stand for the classes 0 and 1.
_BOOLEANS = {"0": "false", "1": "true"}


def class_indices(text: pa.Array | pa.ChunkedArray, classes: tuple[str, ...]) -> pa.Array | pa.ChunkedArray:
    """The index among the classes of each name, or number written as text; null for anything else.

    >>> class_indices(pa.array(["late", "1", "true"]), ("on_time", "late")).to_pylist()
    [1, 1, None]

    Args:
        text: Strings [n].
        classes: The names of the classes. Of the classes 0 and 1, ``false`` and ``true`` are other names.

    Returns:
        int32 [n]. A name counts before a number: of the classes "1" and "0", the text "1" is index 0.
    """
    by_name = pc.index_in(text, pa.array(classes, pa.string()))
    by_number = pc.index_in(text, pa.array([str(i) for i in range(len(classes))], pa.string()))
    found = pc.coalesce(by_name, by_number)
    if set(classes) == {"0", "1"}:
        found = pc.coalesce(found, pc.index_in(text, pa.array([_BOOLEANS[name] for name in classes], pa.string())))
    return found


def class_codes(words: pa.ChunkedArray, classes: tuple[str, ...]) -> Whole:
    """Labels as class indices.

    Args:
        words: Class names, or class indices as text, [n].
        classes: Class names.

    Returns:
        Indices, int64 [n]; `NO_LABEL` for null and for anything else.

    >>> class_codes(pa.chunked_array([["1", "true", "yes"]]), ("0", "1"))
    array([ 1,  1, -1])
    """
    return np.asarray(pc.fill_null(class_indices(words.cast(pa.string()), classes), NO_LABEL), dtype=np.int64)
