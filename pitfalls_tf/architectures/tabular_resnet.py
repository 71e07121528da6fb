"""A residual perceptron for tables, a strong and cheap baseline.

Source: Gorishniy et al., *Revisiting Deep Learning Models for Tabular Data* (NeurIPS 2021, section 3.2).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pitfalls_tf.architectures.blocks import Norm, normalise, scale_units
from pitfalls_tf.architectures.optimiser import Optimiser

if TYPE_CHECKING:
    import keras

    from pitfalls_tf.rows.examples import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class TabularResNet:
    """Blocks of norm, dense, ReLU, dropout, dense, each added to its input.

    The defaults lie inside the paper's search space: 1-8 blocks of 64-512 units, hidden 1-4 times as wide, dropout
    0-0.5 inside a block, AdamW at 1e-5 to 1e-2.
    """

    blocks: int = 2
    units: int = 64
    hidden: float = 2.0
    dropout: float = 0.2
    norm: Norm = "batch"

    @property
    def uses_xla(self) -> bool:
        """True: in small matrix products XLA saves the overhead of each operation."""
        return True

    @property
    def optimiser(self) -> Optimiser:
        """AdamW, from the middle of the paper's ranges."""
        return Optimiser(learning_rate=1e-3, weight_decay=1e-5)

    def scaled(self, *, width: float = 1, depth: float = 1) -> TabularResNet:
        """Scale the units by `width`, and the number of blocks by `depth`."""
        return replace(self, units=scale_units(self.units, width), blocks=scale_units(self.blocks, depth))

    def build(self, shape: Shape) -> keras.Model:
        """float32 [n, width] to {"logits" [n, classes], "embedding" [n, units]}."""
        import keras  # noqa: PLC0415 - settings are read without it

        inputs = keras.Input(shape.inputs, name="encoded")
        signal = keras.layers.Dense(self.units, name="first")(inputs)
        for block in range(self.blocks):
            signal = keras.layers.Add(name=f"sum_{block}")([signal, self._residual(signal, block)])
        signal = normalise(signal, self.norm, name="norm")
        embedding = keras.layers.ReLU(name="embedding")(signal)
        logits = keras.layers.Dense(shape.classes, name="logits")(embedding)
        return keras.Model(inputs, {"logits": logits, "embedding": embedding}, name="core")

    def _residual(self, signal: Any, block: int) -> Any:
        import keras  # noqa: PLC0415 - as above

        from pitfalls_tf.architectures.dropout import Dropout  # noqa: PLC0415 - loads Keras

        signal = normalise(signal, self.norm, name=f"norm_{block}")
        signal = keras.layers.Dense(scale_units(self.units, self.hidden), activation="relu", name=f"wide_{block}")(
            signal
        )
        signal = Dropout(self.dropout, name=f"dropout_{block}")(signal) if self.dropout else signal
        return keras.layers.Dense(self.units, name=f"narrow_{block}")(signal)
