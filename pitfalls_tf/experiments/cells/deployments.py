"""What a served cell serves: the model with its preprocessing, the reference it is watched against, and the traffic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa

from pitfalls_tf.experiments.tasks import letter_stream
from pitfalls_tf.rows.examples import Examples
from pitfalls_tf.rows.reference_rows import reference_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    import keras
    from numpy.typing import NDArray

    from pitfalls_tf.experiments.tasks.letter_stream import LetterStream
    from pitfalls_tf.experiments.tasks.task import RawRows
    from pitfalls_tf.fitting.fits import Fits


class Deployment(Protocol):
    """Rows of a baseline and of a deployment, as a served model gets them."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""

    @property
    def traffic(self) -> pa.Table:
        """Deployed rows in event-time order: the model's inputs, `event_time`, `label` and `label_time`."""

    @property
    def last(self) -> datetime:
        """Event time of the last deployed row, in UTC."""

    def identity(self) -> Mapping[str, Any]:
        """What decides these rows beyond the task, as JSON values."""

    def model(self, fits: Fits, seed: int) -> keras.Model:
        """A fitted network with its preprocessing, named raw inputs to `probabilities` and `embedding`."""

    def reference(self, fits: Fits, seed: int) -> pa.Table:
        """The baseline's rows with the network's probabilities."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TableDeployment:
    """Rows of a table; its raw rows follow from the task."""

    raw: RawRows

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self.raw.held.classes

    @property
    def traffic(self) -> pa.Table:
        """All columns of the later rows."""
        return self.raw.deployed.rows

    @property
    def last(self) -> datetime:
        """Event time of the last row."""
        last: datetime = self.traffic["event_time"][-1].as_py()
        return last.astimezone(UTC)

    def identity(self) -> Mapping[str, Any]:
        """Nothing beyond the task."""
        return {}

    def model(self, fits: Fits, seed: int) -> keras.Model:
        """The network behind the encoding of the training rows."""
        from pitfalls_tf.rows import feature_encoding  # noqa: PLC0415 - loads Keras
        from pitfalls_tf.training import deployed_model  # noqa: PLC0415 - as above

        preprocessing = feature_encoding.preprocessing_model(self.raw.encoding)
        return deployed_model.with_preprocessing(preprocessing, fits.model(seed))

    def reference(self, fits: Fits, seed: int) -> pa.Table:
        """The held-out rows of the training period."""
        held = self.raw.held
        inputs = Examples.from_table(held, self.raw.encoding).inputs
        return reference_table(held, fits.of_seed(seed).predict(inputs)[0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LetterDeployment:
    """A stream of letters. The model takes grey levels, and the family, which it does not use: it is logged."""

    stream: LetterStream

    @property
    def classes(self) -> tuple[str, ...]:
        """The letters."""
        return self.stream.baseline.classes

    @property
    def traffic(self) -> pa.Table:
        """The deployed letters."""
        return letter_stream.stream_table(self.stream.deployed, self.stream.deployed_times)

    @property
    def last(self) -> datetime:
        """Event time of the last letter."""
        last: datetime = self.stream.deployed_times[-1].item()
        return last.replace(tzinfo=UTC)

    def identity(self) -> Mapping[str, Any]:
        """Number of letters and the arrivals; all else is code."""
        return {"letters": len(self.stream.deployed), "arrivals": self.stream.arrivals}

    def model(self, fits: Fits, seed: int) -> keras.Model:
        """The network behind a division by the largest grey level."""
        import keras  # noqa: PLC0415 - loads TensorFlow

        network = fits.model(seed)
        image = keras.Input(network.input_shape[1:], name="image")
        family = keras.Input((1,), dtype="string", name="family")
        outputs = network(keras.layers.Rescaling(1 / letter_stream.LARGEST_LEVEL)(image))
        probabilities = keras.layers.Softmax(name="probabilities")(outputs["logits"])
        return keras.Model(
            {"image": image, "family": family}, {"probabilities": probabilities, "embedding": outputs["embedding"]}
        )

    def reference(self, fits: Fits, seed: int) -> pa.Table:
        """Letters before the deployment, each image as one list of grey levels."""
        table = letter_stream.stream_table(self.stream.baseline, self.stream.baseline_times)
        probabilities = fits.of_seed(seed).predict(self.stream.baseline.inputs)[0]
        flat = table["image"].combine_chunks().flatten().flatten().flatten()
        return pa.table(
            {
                "prediction_id": pa.array([f"reference-{row}:0" for row in table["row_id"].to_pylist()]),
                "event_time": table["event_time"],
                "image": _lists(flat, len(table)),
                "family": table["family"],
                "probabilities": _lists(pa.array(probabilities.astype(np.float32).reshape(-1)), len(table)),
                "label": table["label"],
                "label_time": table["label_time"],
            }
        )


def _lists(values: pa.Array, count: int) -> pa.ListArray:
    """As many lists of equal length."""
    offsets: NDArray[np.int32] = np.arange(count + 1, dtype=np.int32) * (len(values) // count)
    return pa.ListArray.from_arrays(pa.array(offsets), values)
