"""Parts that several families of networks share, without Keras until a network is built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from monitoring.errors import BadInput

if TYPE_CHECKING:
    from pitfalls_tf.rows.examples import Shape

Norm = Literal["none", "batch", "layer"]


def normalise(signal: Any, norm: Norm, *, name: str) -> Any:
    """Batch normalisation (Ioffe and Szegedy, ICML 2015), layer normalisation (Ba et al., 2016) or none.

    The momentum of running statistics is .9 rather than Keras' .99: fits here have hundreds of steps, not tens of
    thousands.

    Returns:
        A Keras tensor of the same shape.
    """
    import keras  # noqa: PLC0415 - settings of networks are read without it

    if norm == "batch":
        return keras.layers.BatchNormalization(momentum=0.9, name=name)(signal)
    if norm == "layer":
        return keras.layers.LayerNormalization(epsilon=1e-5, name=name)(signal)
    return signal


def scale_units(units: int, factor: float, *, multiple: int = 1) -> int:
    """Multiply a number of units, or of layers.

    Args:
        multiple: the result is rounded to a multiple of it, and is at least that.

    >>> scale_units(6, 0.25), scale_units(30, 0.5, multiple=4)
    (2, 16)
    """
    return max(round(units * factor / multiple), 1) * multiple


def image_input(shape: Shape) -> Any:
    """The input of a network of images. Returns a Keras tensor, float32 [n, height, width, channels]."""
    import keras  # noqa: PLC0415 - as above

    if len(shape.inputs) != 3:
        raise BadInput(
            "This architecture is for images.",
            got=f"rows of shape {shape.inputs}",
            expected="rows of height, width and channels",
            fix="Choose an architecture for tables, such as mlp.",
        )
    return keras.Input(shape.inputs, name="encoded")
