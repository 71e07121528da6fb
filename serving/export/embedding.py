"""How a monitor sees tensors: by the embedding that the model makes of a row, on the axes along which it varies most.

At export the embedding of the reference rows is computed, and projected on its principal axes; the axes and the rows'
numbers are kept with the baseline. Later the signature `explain` gives the embedding of live rows, out of the tensors
in the traffic log. The server answers and logs as it always did.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, Final, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.baseline.spec import Embedding
from monitoring.errors import CannotRun
from serving.export.input_arrays import array_of
from serving.export.model_inputs import ModelInput
from serving.export.probabilities import EMBEDDING
from serving.export.reference_table import answers_to
from serving.export.signatures_written import EXPLAIN
from serving.models.runner import LoadError, Runner, ThreadSettings
from serving.status import Failure

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from serving.export.keras_model import KerasModel
    from serving.models.signatures import Signature, TensorSpec

    Floats = NDArray[np.float64]

PROJECTION_FILE: Final = "assets.extra/baseline/projection.npy"

#: Axes that are kept, at most.
AXES: Final = 16

#: An axis along which the embedding varies less than this part of the first one's deviation is rounding.
SMALLEST: Final = 1e-4

#: Rows that go through the model together: always so many, so that a row's numbers do not depend on its company.
BATCH: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Projection:
    """From an embedding [n, d] to its principal axes [n, k]: `centre` [d], `axes` [d, k], orthonormal.

    >>> rows = np.array([[0.0, 0.0], [3.0, 4.0]])
    >>> Projection.fit(rows).of(rows).round(6).tolist()
    [[-2.5], [2.5]]
    """

    centre: Floats
    axes: Floats

    @classmethod
    def fit(cls, values: Floats) -> Projection:
        """The axes of finite rows [n, d], at most 16, longest first; none where nothing varies.

        An axis points to where its largest entry is positive. Cost: O(n d² + d³).
        """
        known = values[np.isfinite(values).all(axis=1)]
        centre = known.mean(axis=0) if len(known) else np.zeros(values.shape[1])
        off = known - centre
        variances, axes = np.linalg.eigh(off.T @ off / max(len(known), 1))
        deviations = np.sqrt(np.maximum(variances[::-1], 0.0))[:AXES]
        kept = axes[:, ::-1][:, :AXES][:, deviations > SMALLEST * max(float(deviations[0]), 1e-12)]
        signs = np.sign(kept[np.abs(kept).argmax(axis=0), np.arange(kept.shape[1])])
        return cls(centre=centre, axes=kept * signs)

    def of(self, values: Floats) -> Floats:
        """Rows [n, d] on the axes [n, k]."""
        found: Floats = (values - self.centre) @ self.axes
        return found

    @property
    def columns(self) -> tuple[str, ...]:
        """What its numbers are called: no input of a model may have such a name."""
        return tuple(f"{EMBEDDING}:{place + 1}" for place in range(self.axes.shape[1]))

    def write(self, path: Path) -> None:
        """Centre and axes as one float64 array [1 + k, d]."""
        np.save(path, np.concatenate([self.centre[None, :], self.axes.T]), allow_pickle=False)

    @classmethod
    def read(cls, path: Path) -> Projection:
        """The inverse of `write`. Raises CannotRun if it is not there."""
        if not path.is_file():
            raise CannotRun(
                "The bundle's embedding has no axes.",
                got=f"no {path}",
                expected="the file that was written beside the baseline",
                fix="Export the model again.",
            )
        kept = np.load(path, allow_pickle=False)
        return cls(centre=kept[0], axes=kept[1:].T)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EmbeddedReference:
    """The axes, what they stand for, and the numbers of the reference rows, [n, k]."""

    projection: Projection
    embedding: Embedding
    numbers: Floats

    def beside(self, table: pa.Table) -> pa.Table:
        """The table with the numbers as columns."""
        for name, column in zip(self.embedding.columns, self.numbers.T, strict=True):
            table = table.append_column(name, pa.array(column))
        return table


def embed_reference(table: pa.Table, model: KerasModel) -> EmbeddedReference | None:
    """The embedding of a matched and checked reference; None for a model without tensors of numbers, or without one.

    Cost: one more pass of the rows through the model.
    """
    tensors = [one for one in model.inputs if one.shape]
    fixed = all(one.kind == "number" and -1 not in one.shape for one in tensors)
    fixed = fixed and all(one.dtype != "bfloat16" for one in model.inputs)  # numpy, which would feed it, has none
    if not tensors or not fixed or EMBEDDING not in model.outputs or model.width(EMBEDDING) is None:
        return None
    values = answers_to(table, model, EMBEDDING).astype(np.float64)
    projection = Projection.fit(values)
    if not projection.columns:
        return None
    embedding = Embedding(tensors=tuple(one.name for one in tensors), columns=projection.columns)
    return EmbeddedReference(projection=projection, embedding=embedding, numbers=projection.of(values))


@final
class BundleEmbedder:
    """Embeds rows by a bundle's `explain`. Loads the model, and TensorFlow, when it is first given a row.

    ``bundle`` is a version's folder.
    """

    def __init__(self, bundle: Path) -> None:
        self._bundle = bundle
        self._opened: tuple[Runner, Signature, Projection] | None = None

    def __call__(self, rows: pa.Table) -> Floats:
        """The embedding of rows of the model's inputs, tensors as flat lists, [n, k].

        NaN where a row has not all of them, or is among rows that the model refuses.

        Raises:
            CannotRun: the bundle cannot be loaded.
        """
        runner, signature, projection = self._open()
        inputs = [_described(name, spec) for name, spec in signature.inputs.items()]
        found = np.full((rows.num_rows, len(projection.columns)), np.nan)
        whole = np.flatnonzero(np.all([_complete(rows[one.name], one) for one in inputs], axis=0))
        for first in range(0, whole.size, BATCH):
            places = whole[first : first + BATCH]
            filled = np.concatenate([places, np.full(BATCH - places.size, places[-1])])
            taken = rows.take(pa.array(filled))
            arrays = {one.name: array_of(taken[one.name], one) for one in inputs}
            try:
                values = runner.run(signature, arrays, (EMBEDDING,))[EMBEDDING]
            except Failure:  # of one row's values; which one's, the graph does not say
                continue
            found[places] = projection.of(values[: places.size].astype(np.float64))
        return found

    def _open(self) -> tuple[Runner, Signature, Projection]:
        if self._opened is None:
            projection = Projection.read(self._bundle / PROJECTION_FILE)
            try:
                runner = Runner(self._bundle, threads=ThreadSettings(within=1))
            except LoadError as failure:
                raise CannotRun(
                    "The bundle's model cannot be loaded, and its embedding is watched.",
                    got=str(failure),
                    expected="a SavedModel with the signature explain",
                    fix="Export the model again.",
                ) from failure
            self._opened = runner, runner.signatures[EXPLAIN], projection
        return self._opened


def _described(name: str, spec: TensorSpec) -> ModelInput:
    """The input as an export described it: by numpy's word for its type, which no exported input is without."""
    kind = spec.element.numpy
    dtype = "string" if kind is None or kind.kind == "O" else kind.name
    return ModelInput(name=name, dtype=dtype, shape=tuple((spec.shape or ())[1:]))


def _complete(column: pa.ChunkedArray[Any], one: ModelInput) -> NDArray[np.bool_]:
    """Which rows, [n], have this input as the model takes it."""
    if one.shape:
        if not pa.types.is_list(column.type) or pa.types.is_nested(column.type.value_type):
            return np.zeros(len(column), dtype=np.bool_)
        lengths: NDArray[np.int64] = np.asarray(pc.fill_null(pc.list_value_length(column), -1), dtype=np.int64)
        return np.equal(lengths, prod(one.shape))
    if one.kind == "category" or one.is_float:
        return np.ones(len(column), dtype=np.bool_)
    return np.isfinite(np.asarray(column.cast(pa.float64()), dtype=np.float64))
