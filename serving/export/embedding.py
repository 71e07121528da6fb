"""The embedding that a monitor watches in place of tensor inputs: the model's own, on its principal axes.

At export the embedding of the reference rows is computed and projected on its principal axes; the axes and the rows'
coordinates are stored with the baseline. Later the signature `explain` gives the embedding of live rows, computed from
the tensors in the traffic log. The server needs no change.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Final, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.spec import Embedding
from monitoring.errors import CannotRun
from serving.export.answers.model_answers import answers_of
from serving.export.inputs.input_arrays import to_array
from serving.export.inputs.model_inputs import ModelInput, input_of
from serving.export.keras_model import KerasModel
from serving.export.outputs.probabilities import EMBEDDING
from serving.export.saved_model import EXPLAIN
from serving.models.runner import LoadError, Runner, ThreadSettings
from serving.models.signatures import Signature
from serving.status import Failure

Floats = NDArray[np.float64]

PROJECTION_FILE: Final = "assets.extra/baseline/projection.npy"

#: The largest number of axes.
MAX_AXES: Final = 16

#: Axes whose standard deviation is below this share of the first axis's are rounding errors.
MIN_RELATIVE_STD: Final = 1e-4

#: Rows per call of the model: always as many, so that a row's numbers do not depend on how rows are batched.
BATCH: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Projection:
    """A projection of embeddings [n, d] on principal axes [n, k]: `centre` [d], `axes` [d, k], orthonormal.

    >>> rows = np.array([[0.0, 0.0], [3.0, 4.0]])
    >>> Projection.fit(rows).project(rows).round(6).tolist()
    [[-2.5], [2.5]]
    """

    centre: Floats
    axes: Floats

    @classmethod
    def fit(cls, values: Floats) -> Projection:
        """Fit the principal axes, those of the largest variance first. Returns at most 16 axes; none if nothing varies.

        The sign of an axis is such that its largest entry is positive. Cost: O(n d² + d³).

        Args:
            values: Embeddings [n, d]; rows that are not finite are ignored.
        """
        finite = values[np.isfinite(values).all(axis=1)]
        centre = finite.mean(axis=0) if len(finite) else np.zeros(values.shape[1])
        centred = finite - centre
        variances, axes = np.linalg.eigh(centred.T @ centred / max(len(finite), 1))
        deviations = np.sqrt(np.maximum(variances[::-1], 0.0))[:MAX_AXES]
        main_axes = axes[:, ::-1][:, :MAX_AXES][:, deviations > MIN_RELATIVE_STD * max(float(deviations[0]), 1e-12)]
        signs = np.sign(main_axes[np.abs(main_axes).argmax(axis=0), np.arange(main_axes.shape[1])])
        return cls(centre=centre, axes=main_axes * signs)

    def project(self, values: Floats) -> Floats:
        """The coordinates of embeddings [n, d] on the axes, [n, k]."""
        coordinates: Floats = (values - self.centre) @ self.axes
        return coordinates

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of its coordinates; no input of a model can have such a name."""
        return tuple(f"{EMBEDDING}:{place + 1}" for place in range(self.axes.shape[1]))

    def write(self, path: Path) -> None:
        """Write centre and axes as one float64 array [1 + k, d]."""
        np.save(path, np.concatenate([self.centre[None, :], self.axes.T]), allow_pickle=False)

    @classmethod
    def read(cls, path: Path) -> Projection:
        """Read what `write` wrote.

        Raises:
            CannotRun: there is no such file.
        """
        if not path.is_file():
            raise CannotRun(
                "The projection of the bundle's embedding is missing.",
                got=f"no {path}",
                expected="the file that the export wrote",
                fix="Export the model again.",
            )
        arrays = np.load(path, allow_pickle=False)
        return cls(centre=arrays[0], axes=arrays[1:].T)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EmbeddedReference:
    """The projection, its description for the baseline, and the coordinates of the reference rows, [n, k]."""

    projection: Projection
    embedding: Embedding
    coordinates: Floats

    def append_to(self, table: pa.Table) -> pa.Table:
        """The table with the coordinates as further columns."""
        for name, column in zip(self.embedding.columns, self.coordinates.T, strict=True):
            table = table.append_column(name, pa.array(column))
        return table


def embed_reference(table: pa.Table, model: KerasModel, texts: Collection[str] = ()) -> EmbeddedReference | None:
    """Embed the rows of a reference. Cost: one more pass of the rows through the model.

    Returns:
        The embedded rows; None if no input is a tensor of numbers or a text, or the model has no embedding.
    """
    tensors = [model_input for model_input in model.inputs if model_input.shape or model_input.name in texts]
    fixed = all(
        model_input.name in texts or (model_input.kind == "number" and -1 not in model_input.shape)
        for model_input in tensors
    )
    fixed = fixed and all(
        model_input.dtype != "bfloat16" for model_input in model.inputs
    )  # NumPy, which feeds it, has no such type
    if not tensors or not fixed or EMBEDDING not in model.outputs or model.width(EMBEDDING) is None:
        return None
    values = answers_of(table, model, EMBEDDING).astype(np.float64)
    projection = Projection.fit(values)
    if not projection.columns:
        return None
    embedding = Embedding(tensors=tuple(model_input.name for model_input in tensors), columns=projection.columns)
    return EmbeddedReference(projection=projection, embedding=embedding, coordinates=projection.project(values))


@final
class BundleEmbedder:
    """Embeds rows by a bundle's signature `explain`. Loads the model, and TensorFlow, at the first call."""

    def __init__(self, bundle: Path) -> None:
        self._bundle = bundle
        self._opened: tuple[Runner, Signature, Projection] | None = None

    def __call__(self, rows: pa.Table) -> Floats:
        """Embed rows.

        Returns:
            Coordinates [n, k]; NaN for a row without all inputs, and for the rows of a batch that the model refuses.
        """
        runner, signature, projection = self._open()
        inputs = [input_of(spec) for spec in signature.inputs.values()]
        coordinates = np.full((rows.num_rows, len(projection.columns)), np.nan)
        whole = np.flatnonzero(
            np.all([_complete(rows[model_input.name], model_input) for model_input in inputs], axis=0)
        )
        for first in range(0, whole.size, BATCH):
            places = whole[first : first + BATCH]
            filled = np.concatenate([places, np.full(BATCH - places.size, places[-1])])
            whole_rows = rows.take(pa.array(filled))
            arrays = {model_input.name: to_array(whole_rows[model_input.name], model_input) for model_input in inputs}
            try:
                values = runner.run(signature, arrays, (EMBEDDING,))[EMBEDDING]
            except Failure:  # because of one row's values; the graph does not say which row
                continue
            coordinates[places] = projection.project(values[: places.size].astype(np.float64))
        return coordinates

    def _open(self) -> tuple[Runner, Signature, Projection]:
        if self._opened is None:
            projection = Projection.read(self._bundle / PROJECTION_FILE)
            try:
                runner = Runner(self._bundle, threads=ThreadSettings(within=1))
            except LoadError as failure:
                raise CannotRun(
                    "The bundle's model cannot be loaded, which the watch of its embedding needs.",
                    got=str(failure),
                    expected="a SavedModel with the signature explain",
                    fix="Export the model again.",
                ) from failure
            self._opened = runner, runner.signatures[EXPLAIN], projection
        return self._opened


def _complete(column: pa.ChunkedArray[Any], model_input: ModelInput) -> NDArray[np.bool_]:
    """Which rows have this input as the model takes it, bool [n]."""
    if model_input.shape:
        if not pa.types.is_list(column.type) or pa.types.is_nested(column.type.value_type):
            return np.zeros(len(column), dtype=np.bool_)
        lengths: NDArray[np.int64] = np.asarray(pc.fill_null(pc.list_value_length(column), -1), dtype=np.int64)
        return np.equal(lengths, prod(model_input.shape))
    if model_input.kind == "category" or model_input.is_float:
        return np.ones(len(column), dtype=np.bool_)
    return np.isfinite(np.asarray(column.cast(pa.float64()), dtype=np.float64))
