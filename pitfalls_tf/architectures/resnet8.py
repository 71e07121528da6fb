"""ResNet-8 for small images: three stages of one residual block.

Source: He et al., *Deep Residual Learning for Image Recognition* (CVPR 2016, section 4.2), in the size of MLPerf Tiny
(Banbury et al., NeurIPS Datasets 2021).
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
class ResNet8:
    """16, 32 and 64 channels, halving the image between stages; global average, then one dense layer."""

    channels: tuple[int, ...] = (16, 32, 64)
    blocks: int = 1
    dropout: float = 0.0
    norm: Norm = "batch"

    @property
    def uses_xla(self) -> bool:
        """False: XLA's convolutions on a processor are many times slower than TensorFlow's own."""
        return False

    @property
    def optimiser(self) -> Optimiser:
        """SGD with momentum .9 and a rate of .1, as in the paper; a cosine schedule instead of its steps."""
        return Optimiser(kind="sgd", learning_rate=0.1, momentum=0.9, weight_decay=1e-4, schedule="cosine")

    def scaled(self, *, width: float = 1, depth: float = 1) -> ResNet8:
        """Scale the channels by `width`, and the blocks of a stage by `depth`, to one at least."""
        return replace(
            self,
            channels=tuple(scale_units(channels, width) for channels in self.channels),
            blocks=scale_units(self.blocks, depth),
        )

    def build(self, shape: Shape) -> keras.Model:
        """float32 [n, height, width, channels] to {"logits" [n, classes], "embedding" [n, channels[-1]]}."""
        import keras  # noqa: PLC0415 - settings are read without it

        from pitfalls_tf.architectures.dropout import Dropout  # noqa: PLC0415 - loads Keras

        inputs = image_input(shape)
        signal = self._convolved(inputs, self.channels[0], name="first")
        for stage, channels in enumerate(self.channels):
            for block in range(self.blocks):
                stride = 2 if stage and not block else 1
                signal = self._residual(signal, channels, stride, name=f"stage_{stage}_{block}")
        embedding = keras.layers.GlobalAveragePooling2D(name="embedding")(signal)
        ready = Dropout(self.dropout, name="dropout")(embedding) if self.dropout else embedding
        logits = keras.layers.Dense(shape.classes, name="logits")(ready)
        return keras.Model(inputs, {"logits": logits, "embedding": embedding}, name="core")

    def _convolved(self, signal: Any, channels: int, *, name: str, stride: int = 1, active: bool = True) -> Any:
        import keras  # noqa: PLC0415 - as above

        signal = keras.layers.Conv2D(
            channels,
            3,
            strides=stride,
            padding="same",
            use_bias=self.norm != "batch",
            kernel_initializer="he_normal",
            name=name,
        )(signal)
        signal = normalise(signal, self.norm, name=f"{name}_norm")
        return keras.layers.ReLU(name=f"{name}_relu")(signal) if active else signal

    def _residual(self, signal: Any, channels: int, stride: int, *, name: str) -> Any:
        import keras  # noqa: PLC0415 - as above

        residual = self._convolved(signal, channels, name=f"{name}_one", stride=stride)
        residual = self._convolved(residual, channels, name=f"{name}_two", active=False)
        if stride > 1 or signal.shape[-1] != channels:
            signal = keras.layers.Conv2D(
                channels, 1, strides=stride, kernel_initializer="he_normal", name=f"{name}_shortcut"
            )(signal)
        return keras.layers.ReLU(name=f"{name}_out")(keras.layers.Add(name=f"{name}_sum")([signal, residual]))
