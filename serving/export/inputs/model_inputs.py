"""The inputs that an exported model has: those of the Keras model, or one named scalar for each of its features.

A model that takes one tensor of many numbers does not say which is which. With ``--features a,b,c`` the bundle takes
``a``, ``b`` and ``c`` by name and stacks them inside, so that requests are readable, the traffic log has a column for
each, and a monitor can watch each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, final

from monitoring.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serving.models.signatures import TensorSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInput:
    """One input. `shape` is that of a row: () for a scalar, -1 for a dimension of any size."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def kind(self) -> Literal["number", "category"]:
        """Its kind in the baseline."""
        return "category" if self.dtype == "string" else "number"

    @property
    def is_float(self) -> bool:
        """Whether NaN can represent a missing value."""
        return "float" in self.dtype


def input_of(spec: TensorSpec) -> ModelInput:
    """An input of a loaded signature as the export described it; an element type that NumPy lacks counts as text."""
    kind = spec.element.numpy
    dtype = "string" if kind is None or kind.kind == "O" else kind.name
    return ModelInput(name=spec.name, dtype=dtype, shape=tuple((spec.shape or ())[1:]))


@dataclass(frozen=True, slots=True, kw_only=True)
class FedTensor:
    """One tensor of the Keras model, and the inputs it is fed from: itself, or its features in order.

    `column` is the table's column of a tensor that is fed whole.
    """

    tensor: ModelInput
    parts: tuple[ModelInput, ...] = ()
    column: str = ""

    @property
    def inputs(self) -> tuple[ModelInput, ...]:
        """The inputs of the exported model for it."""
        return self.parts or (self.tensor,)


@final
class FeedPlan:
    """How a model's tensors are fed from named columns.

    Args:
        features: Columns in the order of the model's inputs: one for each number of a tensor [n, k], or one for each
            input; where they are the inputs' own names, their order does not matter. Without any, columns are named as
            the inputs are.
    """

    def __init__(self, tensors: Sequence[ModelInput], features: Sequence[str] = ()) -> None:
        self.fed = tuple(_feeds(tuple(tensors), tuple(features)))
        self.inputs = tuple(model_input for fed in self.fed for model_input in fed.inputs)
        names = [model_input.name for model_input in self.inputs]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise BadInput(
                "Two inputs of the exported model would have one name.",
                got=", ".join(twice),
                expected="names that differ",
                fix="Rename the column of that feature.",
            )

    @property
    def columns(self) -> dict[str, str]:
        """The table's column of each input."""
        return {
            model_input.name: model_input.name if fed.parts else fed.column
            for fed in self.fed
            for model_input in fed.inputs
        }

    def tensors(self, rows: Mapping[str, Any]) -> dict[str, Any]:
        """The Keras model's tensors, [n, *shape] each, from those of the exported model's inputs."""
        import tensorflow as tf  # noqa: PLC0415 - a model has loaded it

        return {
            fed.tensor.name: (
                tf.stack([rows[part.name] for part in fed.parts], axis=-1) if fed.parts else rows[fed.tensor.name]
            )
            for fed in self.fed
        }


def _feeds(tensors: tuple[ModelInput, ...], features: tuple[str, ...]) -> list[FedTensor]:
    names = {tensor.name for tensor in tensors}
    if not features or set(features) == names:
        return [FedTensor(tensor=tensor, column=tensor.name) for tensor in tensors]
    widths = [_width(tensor) for tensor in tensors]
    if None not in widths and sum(width or 0 for width in widths) == len(features):
        rest = list(features)
        feeds = []
        for tensor, width in zip(tensors, widths, strict=True):
            columns, rest = rest[: width or 0], rest[width or 0 :]
            feeds.append(_split(tensor, columns) if tensor.shape else FedTensor(tensor=tensor, column=columns[0]))
        return feeds
    if len(features) == len(tensors):
        return [FedTensor(tensor=tensor, column=column) for tensor, column in zip(tensors, features, strict=True)]
    raise BadInput(
        "The features do not fit the model's inputs.",
        got=f"{len(features)} features",
        expected=", ".join(f"{tensor.name} {list(tensor.shape)}" for tensor in tensors),
        fix="Name one column for each number that the model takes, or one for each input, in the model's order.",
    )


def _width(tensor: ModelInput) -> int | None:
    """How many scalar columns this tensor consists of; None if scalars cannot make it up."""
    if not tensor.shape:
        return 1
    return tensor.shape[0] if len(tensor.shape) == 1 and tensor.shape[0] > 0 else None


def _split(tensor: ModelInput, names: Sequence[str]) -> FedTensor:
    return FedTensor(tensor=tensor, parts=tuple(ModelInput(name=name, dtype=tensor.dtype, shape=()) for name in names))
