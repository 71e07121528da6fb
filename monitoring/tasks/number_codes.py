"""Numbers as label codes: the bits of a float64, of which those of `NO_LABEL` are no number."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.tasks.task import NO_LABEL, Floats, Whole

#: A number as people and programs write it.
_NUMBER = r"^-?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$"


def number_codes(words: pa.ChunkedArray) -> Whole:
    """Labels, as text, as codes.

    Args:
        words: Numbers as text, [n].

    Returns:
        Codes, int64 [n]; `NO_LABEL` for null, and for anything that is no finite number.

    >>> numbers(number_codes(pa.chunked_array([["1.5", " -2e3", "0", "dear", None]]))).tolist()
    [1.5, -2000.0, 0.0, nan, nan]
    """
    text = pc.utf8_trim_whitespace(words.cast(pa.string()))
    written = pc.if_else(pc.match_substring_regex(text, _NUMBER), text, pa.scalar(None, pa.string()))
    values = np.asarray(pc.fill_null(written.cast(pa.float64()), float("nan")), dtype=np.float64) + 0.0
    return np.where(np.isfinite(values), values.view(np.int64), NO_LABEL)


def numbers(codes: Whole) -> Floats:
    """The inverse of `number_codes`.

    Args:
        codes: Codes, [n].

    Returns:
        Numbers, float64 [n]; NaN for `NO_LABEL`.
    """
    return np.ascontiguousarray(codes).view(np.float64)
