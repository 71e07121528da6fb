"""A plain multilayer perceptron for tables, the baseline against which tabular networks are usually measured.

Settings lie inside the search space of Gorishniy et al., *Revisiting Deep Learning Models for Tabular Data* (NeurIPS
2021, table of MLP hyperparameters: up to 8 layers of 1-512 units, dropout 0-0.5, AdamW); ReLU layers start as He et
al. (2015) derive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np

if TYPE_CHECKING:
    from pitfalls_tf.training.named_setups import Mlp


def core(width: int, classes: int, settings: Mlp, *, seed: int) -> keras.Model:
    """The network behind the preprocessing: float32 [n, width] to {"logits" [n, classes], "embedding" [n, hidden[-1]]}.

    Every random choice, the initial weights and the dropout masks, follows from `seed` alone.
    """
    seeds = iter(np.random.SeedSequence(seed).generate_state(2 * len(settings.hidden) + 1))
    encoded = keras.Input((width,), name="encoded")
    signal = embedding = encoded
    for position, units in enumerate(settings.hidden):
        last = position == len(settings.hidden) - 1
        embedding = keras.layers.Dense(
            units,
            activation="relu",
            kernel_initializer=keras.initializers.HeNormal(seed=int(next(seeds))),
            name="embedding" if last else f"hidden_{position}",
        )(signal)
        signal = keras.layers.Dropout(settings.dropout, seed=int(next(seeds)), name=f"dropout_{position}")(embedding)
    logits = keras.layers.Dense(
        classes, kernel_initializer=keras.initializers.GlorotUniform(seed=int(next(seeds))), name="logits"
    )(signal)
    return keras.Model(encoded, {"logits": logits, "embedding": embedding}, name="core")
