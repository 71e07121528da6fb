"""A small convolutional network for images, after LeNet-5, with ReLU and max pooling for tanh and averages.

Source: LeCun et al., *Gradient-Based Learning Applied to Document Recognition* (Proceedings of the IEEE 1998).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pitfalls_tf.architectures.blocks import Norm, image_input, normalise, scale_units
from pitfalls_tf.architectures.optimiser import Optimiser

if TYPE_CHECKING:
    import keras

    from pitfalls_tf.rows.examples import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class LeNet:
    """Two convolutions of 5 x 5 with pooling, then dense layers, as many channels and units as in the paper."""

    channels: tuple[int, ...] = (6, 16)
    hidden: tuple[int, ...] = (120, 84)
    dropout: float = 0.0
    norm: Norm = "none"

    @property
    def uses_xla(self) -> bool:
        """False: XLA's convolutions on a processor are many times slower than TensorFlow's own."""
        return False

    @property
    def optimiser(self) -> Optimiser:
        """Adam at its usual rate; the paper's second-order method is no longer used."""
        return Optimiser(kind="adam", learning_rate=1e-3)

    def scaled(self, *, width: float = 1, depth: float = 1) -> LeNet:
        """Scale channels and units by `width`; `depth` repeats dense layers or leaves out the last of them."""
        count = scale_units(len(self.hidden), depth)
        places = [place * len(self.hidden) // count for place in range(count)]
        return replace(
            self,
            channels=tuple(scale_units(channels, width) for channels in self.channels),
            hidden=tuple(scale_units(self.hidden[place], width) for place in places),
        )

    def build(self, shape: Shape) -> keras.Model:
        """float32 [n, height, width, channels] to {"logits" [n, classes], "embedding" [n, hidden[-1]]}."""
        import keras  # noqa: PLC0415 - settings are read without it

        from pitfalls_tf.architectures.dropout import Dropout  # noqa: PLC0415 - loads Keras

        inputs = signal = image_input(shape)
        for position, channels in enumerate(self.channels):
            signal = keras.layers.Conv2D(
                channels, 5, padding="same", kernel_initializer="he_normal", name=f"convolution_{position}"
            )(signal)
            signal = normalise(signal, self.norm, name=f"norm_{position}")
            signal = keras.layers.MaxPooling2D(name=f"pool_{position}")(
                keras.layers.ReLU(name=f"relu_{position}")(signal)
            )
        signal = embedding = keras.layers.Flatten(name="flat")(signal)
        for position, units in enumerate(self.hidden):
            last = position == len(self.hidden) - 1
            embedding = keras.layers.Dense(
                units,
                activation="relu",
                kernel_initializer="he_normal",
                name="embedding" if last else f"hidden_{position}",
            )(signal)
            signal = Dropout(self.dropout, name=f"dropout_{position}")(embedding) if self.dropout else embedding
        logits = keras.layers.Dense(shape.classes, name="logits")(signal)
        return keras.Model(inputs, {"logits": logits, "embedding": embedding}, name="core")
