"""A small network of depthwise separable convolutions, after MobileNet.

Source: Howard et al., *MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications* (2017).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pitfalls_tf.architectures.blocks import Norm, image_input, normalise, scale_units
from pitfalls_tf.architectures.optimiser import Optimiser

if TYPE_CHECKING:
    import keras

    from pitfalls_tf.rows.examples import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class MobileNet:
    """A first convolution, then blocks of a depthwise and a pointwise one, every second of which halves the image."""

    channels: tuple[int, ...] = (16, 32, 64, 64, 128)
    dropout: float = 0.0
    norm: Norm = "batch"

    @property
    def uses_xla(self) -> bool:
        """False: XLA's convolutions on a processor are many times slower than TensorFlow's own."""
        return False

    @property
    def optimiser(self) -> Optimiser:
        """Adam, which is close to the paper's RMSprop, without weight decay, of which the paper advises little."""
        return Optimiser(kind="adam", learning_rate=1e-3)

    def scaled(self, *, width: float = 1, depth: float = 1) -> MobileNet:
        """Scale the channels by `width`, the paper's width multiplier, and the number of blocks by `depth`."""
        count = scale_units(len(self.channels), depth)
        places = [place * len(self.channels) // count for place in range(count)]
        return replace(self, channels=tuple(scale_units(self.channels[place], width) for place in places))

    def build(self, shape: Shape) -> keras.Model:
        """float32 [n, height, width, channels] to {"logits" [n, classes], "embedding" [n, channels[-1]]}."""
        import keras  # noqa: PLC0415 - settings are read without it

        from pitfalls_tf.architectures.dropout import Dropout  # noqa: PLC0415 - loads Keras

        inputs = image_input(shape)
        bias = self.norm != "batch"
        signal = keras.layers.Conv2D(
            self.channels[0], 3, strides=2, padding="same", use_bias=bias, kernel_initializer="he_normal", name="first"
        )(inputs)
        signal = self._active(signal, name="first")
        for block, channels in enumerate(self.channels[1:]):
            # An image of one pixel cannot be halved any more.
            stride = 2 if block % 2 and signal.shape[1] > 1 else 1
            signal = keras.layers.DepthwiseConv2D(
                3,
                strides=stride,
                padding="same",
                use_bias=bias,
                depthwise_initializer="he_normal",
                name=f"depthwise_{block}",
            )(signal)
            signal = self._active(signal, name=f"depthwise_{block}")
            signal = keras.layers.Conv2D(
                channels, 1, use_bias=bias, kernel_initializer="he_normal", name=f"pointwise_{block}"
            )(signal)
            signal = self._active(signal, name=f"pointwise_{block}")
        embedding = keras.layers.GlobalAveragePooling2D(name="embedding")(signal)
        ready = Dropout(self.dropout, name="dropout")(embedding) if self.dropout else embedding
        logits = keras.layers.Dense(shape.classes, name="logits")(ready)
        return keras.Model(inputs, {"logits": logits, "embedding": embedding}, name="core")

    def _active(self, signal: Any, *, name: str) -> Any:
        import keras  # noqa: PLC0415 - as above

        return keras.layers.ReLU(name=f"{name}_relu")(normalise(signal, self.norm, name=f"{name}_norm"))
