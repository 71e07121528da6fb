"""Wide and deep: a linear model and a perceptron, trained jointly.

Source: Cheng et al., *Wide & Deep Learning for Recommender Systems* (DLRS 2016). The wide part takes the encoded
columns; the paper's hand-picked crosses of categories are left out. The paper trains the wide part with FTRL and
the deep one with AdaGrad; here one AdamW trains both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pitfalls_tf.architectures.blocks import Norm, normalise, scale_units
from pitfalls_tf.architectures.optimiser import Optimiser

if TYPE_CHECKING:
    import keras

    from pitfalls_tf.rows.examples import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class WideAndDeep:
    """Logits: a linear function of the inputs plus a perceptron's. ReLU layers narrow as in the paper."""

    hidden: tuple[int, ...] = (128, 64, 32)
    dropout: float = 0.0
    norm: Norm = "none"

    @property
    def uses_xla(self) -> bool:
        """True: in small matrix products XLA saves the overhead of each operation."""
        return True

    @property
    def optimiser(self) -> Optimiser:
        """One AdamW for both parts; the paper has two optimisers."""
        return Optimiser(learning_rate=1e-3)

    def scaled(self, *, width: float = 1, depth: float = 1) -> WideAndDeep:
        """Scale the deep part's units by `width`, and its number of layers by `depth`."""
        count = scale_units(len(self.hidden), depth)
        places = [place * len(self.hidden) // count for place in range(count)]
        return replace(self, hidden=tuple(scale_units(self.hidden[place], width) for place in places))

    def build(self, shape: Shape) -> keras.Model:
        """float32 [n, width] to {"logits" [n, classes], "embedding" [n, hidden[-1]]}, the deep part's."""
        import keras  # noqa: PLC0415 - settings are read without it

        from pitfalls_tf.architectures.dropout import Dropout  # noqa: PLC0415 - loads Keras

        inputs = keras.Input(shape.inputs, name="encoded")
        signal = embedding = inputs
        for position, units in enumerate(self.hidden):
            last = position == len(self.hidden) - 1
            signal = keras.layers.Dense(units, kernel_initializer="he_normal", name=f"deep_{position}")(signal)
            signal = normalise(signal, self.norm, name=f"norm_{position}")
            embedding = keras.layers.ReLU(name="embedding" if last else f"relu_{position}")(signal)
            signal = Dropout(self.dropout, name=f"dropout_{position}")(embedding) if self.dropout else embedding
        deep = keras.layers.Dense(shape.classes, name="deep_logits")(signal)
        wide = keras.layers.Dense(shape.classes, use_bias=False, name="wide_logits")(inputs)
        logits = keras.layers.Add(name="logits")([deep, wide])
        return keras.Model(inputs, {"logits": logits, "embedding": embedding}, name="core")
