"""Vectors, such as embeddings, by their norm, their place on the reference's principal axes, and how far off these."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from typing_extensions import override

from monitoring.traffic.cells import as_doubles, is_list, is_number
from monitoring.traffic.descriptors.descriptors import Descriptors

#: Axes, at most.
MOST_AXES = 8

#: A list of fewer numbers is a sequence, and no vector.
FEWEST_NUMBERS = 16

#: Numbers of a tensor that a model takes, at most, which is watched as a vector.
MOST_NUMBERS = 512

#: Vectors that the axes are fitted to, at most, spread over the reference.
_FITTED = 20_000

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VectorDescriptors(Descriptors):
    """The descriptors of a column of vectors of one size. A `Descriptors`.

    Attributes:
        axes: Orthonormal directions in which the reference varies most, [axes, d].

    >>> fitted = VectorDescriptors.fit("vector", [pa.array([[0.0, 0.0], [3.0, 4.0]])])
    >>> {name: column.to_pylist() for name, column in fitted.describe(pa.array([[3.0, 4.0]]), np.zeros(1)).items()}
    {'vector.norm': [5.0], 'vector.residual': [0.0], 'vector.axis_1': [2.5]}
    """

    source: str
    centre: Floats
    axes: Floats

    kind = "vector"

    @classmethod
    def fit(cls, source: str, pieces: Sequence[pa.Array]) -> VectorDescriptors:
        """Fit the principal axes. Returns the descriptors. Cost: O(n d² + d³) for at most 20,000 vectors.

        The sign of an axis is such that its largest entry is positive.
        """
        whole = pa.concat_arrays([_lists(piece).drop_null() for piece in pieces])
        step = max(1, len(whole) // _FITTED)
        values = _values(whole.take(pa.array(np.arange(0, len(whole), step))), len(whole[0]))
        finite = values[np.isfinite(values).all(axis=1)]
        centre = finite.mean(axis=0)
        variances, axes = np.linalg.eigh((finite - centre).T @ (finite - centre) / max(len(finite), 1))
        main_axes = axes[:, ::-1][:, :MOST_AXES][
            :, variances[::-1][:MOST_AXES] > 1e-8 * max(float(variances[-1]), 1e-300)
        ]
        signs = np.sign(main_axes[np.abs(main_axes).argmax(axis=0), np.arange(main_axes.shape[1])])
        return cls(source=source, centre=_rounded(centre), axes=_rounded((main_axes * signs).T))

    @property
    @override
    def kinds(self) -> Mapping[str, Literal["number", "category"]]:
        axes = (f"axis_{place + 1}" for place in range(len(self.axes)))
        return {f"{self.source}.{name}": "number" for name in ("norm", "residual", *axes)}

    @override
    def reads(self, kind: pa.DataType) -> bool:
        return is_list(kind) and is_number(_leaf(kind))

    def describe(self, cells: pa.Array, event_us: NDArray[np.int64]) -> dict[str, pa.Array]:
        """See `Descriptors`. A vector of another size is missing."""
        lists = _lists(cells)
        numbers = np.full((len(self.kinds), len(cells)), np.nan)
        fits = pc.fill_null(pc.equal(pc.list_value_length(lists), self.centre.size), fill_value=False)
        places = np.flatnonzero(np.asarray(fits, dtype=np.bool_))
        values = _values(lists.take(pa.array(places)), self.centre.size)
        places_on_axes = (values - self.centre) @ self.axes.T
        off = values - self.centre - places_on_axes @ self.axes
        numbers[:, places] = np.vstack([_norms(values), _norms(off), *places_on_axes.T])
        return dict(zip(self.kinds, map(pa.array, numbers), strict=True))

    @override
    def document(self) -> dict[str, Any]:
        packed = {"centre": _packed(self.centre), "axes": [_packed(axis) for axis in self.axes]}
        return {"kind": self.kind, "source": self.source, **packed}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> VectorDescriptors:
        """The descriptors of a document that `document` gave."""
        centre = _unpacked(document["centre"])
        axes = [_unpacked(text) for text in document["axes"]]
        return cls(source=document["source"], centre=centre, axes=np.array(axes).reshape(-1, centre.size))


def tensor_as_vector(name: str, shape: Sequence[int], cells: Sequence[pa.Array]) -> VectorDescriptors | None:
    """The descriptors of a model's input of some numbers a row.

    Args:
        shape: The shape of a row, -1 for any size.
        cells: Rows of a reference.

    Returns:
        None where a row's size is not fixed, is 1, or is too large, or the reference has no two different rows.

    >>> rows = [pa.array([[[0.0], [1.0]], [[2.0], [3.0]]])]
    >>> sorted(tensor_as_vector("series", (2, 1), rows).kinds)
    ['series.axis_1', 'series.norm', 'series.residual']
    >>> tensor_as_vector("series", (-1, 1), rows) is None
    True
    """
    size = math.prod(shape)
    if min(shape) < 1 or not 1 < size <= MOST_NUMBERS:
        return None
    pieces = [_lists(piece) for piece in cells if is_list(piece.type) and is_number(_leaf(piece.type))]
    pieces = [piece.filter(pc.equal(pc.list_value_length(piece), size)) for piece in pieces]
    finite = sum(int(np.isfinite(_values(piece, size)).all(axis=1).sum()) for piece in pieces)
    fitted = VectorDescriptors.fit(name, pieces) if finite > 1 else None
    return fitted if fitted is not None and len(fitted.axes) else None


def is_vector(cells: Sequence[pa.Array]) -> bool:
    """Whether lists of numbers are vectors: all of one size, of which there is no telling what is last."""
    lists = [piece for piece in cells if not pa.types.is_null(piece.type)]
    if not all(is_list(piece.type) and is_number(piece.type.value_type) for piece in lists):
        return False
    sizes = {size for piece in lists for size in pc.unique(pc.list_value_length(piece).drop_null()).to_pylist()}
    return len(sizes) == 1 and min(sizes) >= FEWEST_NUMBERS


def _norms(values: Floats) -> Floats:
    """The norm of each vector; of unit vectors exactly 1."""
    norms: Floats = np.round(np.sqrt((values**2).sum(axis=1)), 6)
    return norms


def _leaf(kind: pa.DataType) -> pa.DataType:
    """What lists of lists hold in the end."""
    while is_list(kind):
        kind = kind.value_type
    return kind


def _lists(cells: pa.Array) -> pa.Array:
    """Cells as lists of floats; lists of lists, as a tensor's, one after the other."""
    while is_list(cells.type.value_type):
        inner = cells.flatten()
        ends = np.cumsum([0, *np.asarray(pc.fill_null(pc.list_value_length(inner), 0), dtype=np.int64)])
        outer = np.cumsum([0, *np.asarray(pc.fill_null(pc.list_value_length(cells), 0), dtype=np.int64)])
        cells = pa.LargeListArray.from_arrays(pa.array(ends[outer]), inner.flatten(), mask=cells.is_null())
    if pa.types.is_decimal(cells.type.value_type):
        lengths = np.asarray(pc.fill_null(pc.list_value_length(cells), 0), dtype=np.int64)
        offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]))
        return pa.LargeListArray.from_arrays(offsets, as_doubles(cells.flatten()), mask=cells.is_null())
    return cells.cast(pa.large_list(pa.float64()))


def _values(lists: pa.Array, size: int) -> Floats:
    """Vectors of one size, [n, size]; NaN where a number is null."""
    flat = lists.flatten()
    return np.asarray(pc.fill_null(flat, np.nan), dtype=np.float64).reshape(len(lists), size)


def _rounded(values: Floats) -> Floats:
    """As they are stored, so that a baseline's own numbers are those of live rows."""
    return values.astype(np.float32).astype(np.float64)


def _packed(values: Floats) -> str:
    return base64.b64encode(values.astype("<f4").tobytes()).decode()


def _unpacked(text: str) -> Floats:
    return np.frombuffer(base64.b64decode(text), dtype="<f4").astype(np.float64)
