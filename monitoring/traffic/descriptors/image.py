"""Images by their brightness, contrast, sharpness and colour, from the numbers that a model takes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from typing_extensions import override

from monitoring.traffic.cells import is_list, is_number
from monitoring.traffic.descriptors.descriptors import Descriptors

#: Rows and columns of an image that are looked at, at most: others lie between them.
LOOKED_AT = 64

#: Images in memory as floats at once.
_ROWS = 256

#: The least height and width of an image; a smaller tensor may be anything.
SMALLEST = 8

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageDescriptors(Descriptors):
    """The descriptors of a column of images, as numbers of whatever range the model takes. A `Descriptors`.

    >>> half = pa.array([np.repeat([0.0, 1.0], 32).tolist()])
    >>> found = ImageDescriptors(source="image", shape=(8, 8, 1)).describe(half, np.zeros(1, np.int64))
    >>> {name: column.to_pylist() for name, column in found.items()}["image.brightness"]
    [0.5]
    """

    source: str
    shape: tuple[int, int, int]

    kind = "image"

    @classmethod
    def of_tensor(cls, name: str, shape: tuple[int, ...]) -> ImageDescriptors | None:
        """The descriptors of a model's input.

        Args:
            shape: The shape of a row, -1 for any size.

        Returns:
            None unless its rows are images: of a fixed height and width, with 1, 3 or 4 channels last.
        """
        if len(shape) != 3 or min(shape[:2]) < SMALLEST or shape[2] not in (1, 3, 4):
            return None
        height, width, channels = shape
        return cls(source=name, shape=(height, width, channels))

    @property
    @override
    def kinds(self) -> Mapping[str, Literal["number", "category"]]:
        names = ("brightness", "contrast", "sharpness", *(("saturation",) if self.shape[2] > 1 else ()))
        return {f"{self.source}.{name}": "number" for name in names}

    @override
    def reads(self, kind: pa.DataType) -> bool:
        while is_list(kind):
            kind = kind.value_type
        return is_number(kind) or bool(pa.types.is_null(kind))

    def describe(self, cells: pa.Array, event_us: NDArray[np.int64]) -> dict[str, pa.Array]:
        """See `Descriptors`. An image of another size is missing."""
        numbers = np.full((len(self.kinds), len(cells)), np.nan)
        whole = np.flatnonzero(self._complete(cells))
        for first in range(0, whole.size, _ROWS):
            places = whole[first : first + _ROWS]
            leaves = cells.take(pa.array(places))
            while is_list(leaves.type):
                leaves = leaves.flatten()
            if leaves.null_count or pa.types.is_boolean(leaves.type):
                leaves = pc.fill_null(leaves.cast(pa.float64()), np.nan)
            numbers[:, places] = self._measured(np.asarray(leaves).reshape(places.size, *self.shape))
        return dict(zip(self.kinds, map(pa.array, numbers), strict=True))

    @override
    def document(self) -> dict[str, Any]:
        return {"kind": self.kind, "source": self.source, "shape": list(self.shape)}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> ImageDescriptors:
        """The descriptors of a document that `document` gave."""
        height, width, channels = document["shape"]
        return cls(source=document["source"], shape=(height, width, channels))

    def _measured(self, images: NDArray[Any]) -> Floats:
        """The descriptors of images [n, height, width, channels], [descriptors, n]."""
        down, across = (math.ceil(size / LOOKED_AT) for size in self.shape[:2])
        pixels = images[:, ::down, ::across, :3].astype(np.float64)
        right = images[:, ::down, 1::across, :3].astype(np.float64)
        below = images[:, 1::down, ::across, :3].astype(np.float64)
        grey = pixels.mean(axis=3)
        steps = (
            np.abs(neighbour.mean(axis=3) - grey[:, : neighbour.shape[1], : neighbour.shape[2]]).mean(axis=(1, 2))
            for neighbour in (right, below)
        )
        measured = [grey.mean(axis=(1, 2)), grey.std(axis=(1, 2)), sum(steps) / 2]
        if self.shape[2] > 1:
            measured.append((pixels.max(axis=3) - pixels.min(axis=3)).mean(axis=(1, 2)))
        return np.stack(measured)

    def _complete(self, cells: pa.Array) -> NDArray[np.bool_]:
        """Which cells hold as many numbers as an image has."""
        if not is_list(cells.type):
            return np.zeros(len(cells), dtype=np.bool_)
        whole: NDArray[np.bool_] = leaf_counts(cells) == math.prod(self.shape)
        return whole & np.asarray(cells.is_valid(), dtype=np.bool_)


def leaf_counts(cells: pa.Array) -> NDArray[np.int64]:
    """How many numbers each cell holds, in lists of any depth. Returns int64 [n]; of a null whatever its list has.

    >>> leaf_counts(pa.array([[[1, 2], [3]], [], [[4]]])).tolist()
    [3, 0, 1]

    Args:
        cells: Lists [n].
    """
    places = np.arange(len(cells) + 1, dtype=np.int64)
    level = cells
    while is_list(level.type):
        if pa.types.is_fixed_size_list(level.type):
            places = (places + level.offset) * level.type.list_size
        else:
            places = np.asarray(level.offsets, dtype=np.int64)[places]
        level = level.values
    return np.diff(places)
