"""The kinds of descriptors that there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.traffic.cells import decoded, value_type
from monitoring.traffic.descriptors.descriptors import Descriptors
from monitoring.traffic.descriptors.encoded_image import EncodedImageDescriptors
from monitoring.traffic.descriptors.image import ImageDescriptors
from monitoring.traffic.descriptors.language import require_languages
from monitoring.traffic.descriptors.moment import MomentDescriptors
from monitoring.traffic.descriptors.sequence import SequenceDescriptors
from monitoring.traffic.descriptors.text import TextDescriptors
from monitoring.traffic.descriptors.vector import VectorDescriptors


def read_descriptors(document: Mapping[str, Any]) -> Descriptors:
    """Descriptors of a document that `document` gave. Raises LookupError for one of an unknown kind."""
    return _KINDS[document["kind"]](document)


def require_libraries(described: Sequence[Descriptors]) -> None:
    """Check that the optional libraries are installed that these descriptors take. Raises BadInput where one is not."""
    if any(isinstance(descriptors, TextDescriptors) and descriptors.language for descriptors in described):
        require_languages()


def described_inputs(
    described: Sequence[Descriptors], columns: Mapping[str, pa.ChunkedArray], event_us: NDArray[np.int64]
) -> tuple[dict[str, pa.Array], dict[str, str]]:
    """The inputs that describe columns of n rows.

    Returns:
        Columns [n] by name, missing where their column is absent or of another type; and by name what is wrong then.
    """
    inputs: dict[str, pa.Array] = {}
    problems: dict[str, str] = {}
    for each in described:
        column = columns.get(each.source)
        kind = None if column is None else value_type(column.type)
        if column is not None and kind is not None and each.reads(kind):
            inputs |= each.describe(decoded(column), event_us)
            continue
        problems |= dict.fromkeys(each.kinds, "absent" if kind is None else f"type changed to {kind}")
        inputs |= {name: missing_input(event_us.size, number=of == "number") for name, of in each.kinds.items()}
    return inputs, problems


def undescribed(
    described: Sequence[Descriptors], columns: Mapping[str, pa.ChunkedArray], inputs: Mapping[str, pa.Array]
) -> dict[str, NDArray[np.bool_]]:
    """Which cells hold something of which no descriptor says anything, such as an image that is damaged.

    Returns:
        bool [n] by column, of those with such a cell.
    """
    masks = {}
    for each in described:
        column = columns.get(each.source)
        if column is None or not each.reads(value_type(column.type)):
            continue
        unsaid = np.ones(len(column), dtype=np.bool_)
        for name in each.kinds:
            if not unsaid.any():
                break
            unsaid &= np.asarray(inputs[name].is_null(nan_is_null=True), dtype=np.bool_)
        if unsaid.any() and (unsaid := unsaid & np.asarray(column.is_valid(), dtype=np.bool_)).any():
            masks[each.source] = unsaid
    return masks


def missing_input(rows: int, *, number: bool) -> pa.Array:
    """A column without a value: NaN, or null text."""
    return pa.array(np.full(rows, np.nan)) if number else pa.nulls(rows, pa.string())


_KINDS: Mapping[str, Callable[[Mapping[str, Any]], Descriptors]] = {
    "encoded image": EncodedImageDescriptors.of,
    "image": ImageDescriptors.of,
    "moment": MomentDescriptors.of,
    "sequence": SequenceDescriptors.of,
    "text": TextDescriptors.of,
    "vector": VectorDescriptors.of,
}
