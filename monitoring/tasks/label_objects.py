"""Labels that have a part for each of several outputs: the text of JSON objects."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

#: Whole numbers beyond it are not told apart as floats.
_LARGEST_WHOLE = 2.0**53


def texts_of_outputs(words: pa.ChunkedArray, outputs: Sequence[str]) -> list[pa.ChunkedArray]:
    """Each output's part of some labels.

    >>> [part.to_pylist() for part in texts_of_outputs(pa.chunked_array([['{"a": 2.0, "b": "x"}', "y"]]), ("a", "b"))]
    [['2', None], ['x', None]]

    Args:
        words: Labels as text, [n].

    Returns:
        Text [n] for each, null where a label is no object or has no such part.
    """
    objects = [_object(word) for word in words.to_pylist()]
    return [
        pa.chunked_array([pa.array([_text(label.get(name)) for label in objects], pa.string())]) for name in outputs
    ]


def label_object(values: Mapping[str, Any]) -> str | None:
    """A label as text.

    >>> label_object({"kind": "late", "price": 2.0}), label_object({"kind": "late", "price": float("nan")})
    ('{"kind":"late","price":"2"}', '{"kind":"late"}')

    Returns:
        Text that `texts_of_outputs` reads, without the parts that are missing: null, NaN or blank; None where all are,
        or one is none of these types.
    """
    texts = {name: _text(value) for name, value in values.items()}
    strange = any(text is None and not _is_missing(values[name]) for name, text in texts.items())
    parts = {name: text for name, text in texts.items() if text is not None}
    return None if strange or not parts else json.dumps(parts, ensure_ascii=False, separators=(",", ":"))


def _is_missing(value: object) -> bool:
    """Whether a part is not known: null, NaN or blank."""
    return value is None or (isinstance(value, float) and math.isnan(value)) or isinstance(value, str)


def _object(word: str | None) -> Mapping[str, Any]:
    """The object of a text; an empty one where it is none."""
    if not word or not word.lstrip().startswith("{"):
        return {}
    try:
        document = json.loads(word)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _text(value: object) -> str | None:
    """A part of a label as text; null where it is missing, not finite, or no text, number or boolean."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return str(int(value)) if value.is_integer() and abs(value) < _LARGEST_WHOLE else repr(value)
    if isinstance(value, int):
        return str(value)
    return value if isinstance(value, str) and value.strip() else None
