"""A plain multilayer perceptron for tables, the usual baseline of tabular networks.

Settings lie inside the search space of Gorishniy et al., *Revisiting Deep Learning Models for Tabular Data* (NeurIPS
2021, table of MLP hyperparameters: up to 8 layers of 1-512 units, dropout 0-0.5, AdamW); ReLU layers start as He et
al. (2015) derive.
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
class Mlp:
    """Dense layers with ReLU, optionally normalised before it, and with dropout after it."""

    hidden: tuple[int, ...] = (64, 32)
    dropout: float = 0.0
    norm: Norm = "none"

    @property
    def uses_xla(self) -> bool:
        """True: in small matrix products XLA saves the overhead of each operation."""
        return True

    @property
    def optimiser(self) -> Optimiser:
        """AdamW, from the middle of the paper's ranges."""
        return Optimiser(learning_rate=1e-3, weight_decay=1e-5)

    def scaled(self, *, width: float = 1, depth: float = 1) -> Mlp:
        """Scale the layers' units by `width`, and their number by `depth`: first ones are repeated or left out."""
        count = max(round(len(self.hidden) * depth), 1)
        places = [place * len(self.hidden) // count for place in range(count)]
        return replace(self, hidden=tuple(scale_units(self.hidden[place], width) for place in places))

    def build(self, shape: Shape) -> keras.Model:
        """float32 [n, width] to {"logits" [n, classes], "embedding" [n, hidden[-1]]}; images are flattened."""
        import keras  # noqa: PLC0415 - settings are read without it

        from pitfalls_tf.architectures.dropout import Dropout  # noqa: PLC0415 - loads Keras

        inputs = keras.Input(shape.inputs, name="encoded")
        signal = embedding = keras.layers.Flatten(name="flat")(inputs) if len(shape.inputs) > 1 else inputs
        for position, units in enumerate(self.hidden):
            last = position == len(self.hidden) - 1
            signal = keras.layers.Dense(
                units,
                kernel_initializer="he_normal",
                use_bias=self.norm != "batch",  # batch normalisation would subtract it again
                name=f"hidden_{position}",
            )(signal)
            signal = normalise(signal, self.norm, name=f"norm_{position}")
            embedding = keras.layers.ReLU(name="embedding" if last else f"relu_{position}")(signal)
            signal = Dropout(self.dropout, name=f"dropout_{position}")(embedding) if self.dropout else embedding
        logits = keras.layers.Dense(shape.classes, name="logits")(signal)
        return keras.Model(inputs, {"logits": logits, "embedding": embedding}, name="core")
