"""A small FT-Transformer: one token per feature, and attention among the tokens.

Source: Gorishniy et al., *Revisiting Deep Learning Models for Tabular Data* (NeurIPS 2021, section 3.3).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from monitoring.errors import BadInput
from pitfalls_tf.architectures.blocks import scale_units
from pitfalls_tf.architectures.optimiser import Optimiser

if TYPE_CHECKING:
    import keras

    from pitfalls_tf.rows.examples import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class FtTransformer:
    """Pre-norm transformer over feature tokens and a classification token, from which the classes are read.

    The paper's default is 3 blocks of 192 units and 8 heads, attention dropout .2, feed-forward dropout .1, ReGLU 4/3
    as wide, AdamW at 1e-4 with decay 1e-5; here it is smaller by `units`, `heads` and `blocks`, for two cores.
    """

    units: int = 32
    heads: int = 4
    blocks: int = 2
    attention_dropout: float = 0.2
    dropout: float = 0.1

    @property
    def uses_xla(self) -> bool:
        """False: attention is batches of small matrix products, for which TensorFlow's own kernels are faster."""
        return False

    @property
    def optimiser(self) -> Optimiser:
        """The paper's default."""
        return Optimiser(learning_rate=1e-4, weight_decay=1e-5)

    def scaled(self, *, width: float = 1, depth: float = 1) -> FtTransformer:
        """Scale the units by `width`, to a multiple of the heads, and the number of blocks by `depth`."""
        return replace(
            self, units=scale_units(self.units, width, multiple=self.heads), blocks=scale_units(self.blocks, depth)
        )

    def build(self, shape: Shape) -> keras.Model:
        """Build the network. Returns float32 [n, width] to {"logits" [n, classes], "embedding" [n, units]}."""
        import keras  # noqa: PLC0415 - settings are read without it

        if not shape.tokens or sum(shape.tokens) != shape.inputs[0]:
            raise BadInput(
                "The FT-Transformer needs to know which columns form a feature.",
                got=f"tokens {shape.tokens} for rows of shape {shape.inputs}",
                expected="widths that add up to the width of an encoded table",
                fix="Make the examples by Examples.from_table, or choose another architecture.",
            )
        inputs = keras.Input(shape.inputs, name="encoded")
        signal = self._tokens(inputs, shape.tokens)
        for block in range(self.blocks):
            signal = self._block(signal, block)
        # Only the classification token is read, after a last norm and ReLU.
        last = keras.layers.LayerNormalization(epsilon=1e-5, name="norm")(signal[:, 0])
        embedding = keras.layers.ReLU(name="embedding")(last)
        logits = keras.layers.Dense(shape.classes, name="logits")(embedding)
        return keras.Model(inputs, {"logits": logits, "embedding": embedding}, name="core")

    def _tokens(self, inputs: Any, widths: tuple[int, ...]) -> Any:
        """[n, 1 + features, units]: a number times a vector, or a category's vector, plus the feature's bias."""
        import keras  # noqa: PLC0415 - as above

        single = next((place for place, width in enumerate(widths) if width != 1), len(widths))
        always = keras.ops.ones_like(inputs[:, :1])
        parts = [keras.layers.Dense(self.units, use_bias=False, name="own_token")(always)[:, None]]
        if single:
            parts.append(
                keras.layers.EinsumDense(
                    "nt,tu->ntu", output_shape=(single, self.units), bias_axes="tu", name="number_tokens"
                )(inputs[:, :single])
            )
        start = single
        for place, width in enumerate(widths[single:]):
            if width:
                part = inputs[:, start : start + width]
                parts.append(keras.layers.Dense(self.units, name=f"category_token_{place}")(part)[:, None])
            start += width
        return keras.layers.Concatenate(axis=1, name="tokens")(parts)

    def _block(self, signal: Any, block: int) -> Any:
        import keras  # noqa: PLC0415 - as above

        from pitfalls_tf.architectures.dropout import Dropout  # noqa: PLC0415 - loads Keras

        # The first block has no norm before its attention: the paper found it to be harmful.
        ready = signal if block == 0 else keras.layers.LayerNormalization(epsilon=1e-5, name=f"norm_{block}")(signal)
        attention = keras.layers.MultiHeadAttention(
            self.heads, self.units // self.heads, dropout=self.attention_dropout, name=f"attention_{block}"
        )(ready, ready)
        signal = keras.layers.Add(name=f"seen_{block}")([signal, attention])
        ready = keras.layers.LayerNormalization(epsilon=1e-5, name=f"forward_norm_{block}")(signal)
        hidden = scale_units(self.units, 4 / 3)
        gate = keras.layers.Dense(hidden, activation="relu", name=f"gate_{block}")(ready)
        value = keras.layers.Dense(hidden, name=f"value_{block}")(ready)
        forward = keras.layers.Multiply(name=f"gated_{block}")([value, gate])
        forward = Dropout(self.dropout, name=f"dropout_{block}")(forward) if self.dropout else forward
        forward = keras.layers.Dense(self.units, name=f"forward_{block}")(forward)
        return keras.layers.Add(name=f"sum_{block}")([signal, forward])
