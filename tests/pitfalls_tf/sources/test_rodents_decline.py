"""What the source is for: a network that does well on the captures of its own years does not on those of 2001-02."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pitfalls_tf.architectures.mlp import Mlp
from pitfalls_tf.architectures.optimiser import Optimiser
from pitfalls_tf.fitting import ensemble
from pitfalls_tf.fitting.recipe import Recipe
from pitfalls_tf.rows import feature_encoding
from pitfalls_tf.rows.examples import Examples
from pitfalls_tf.rows.splits import random_split
from pitfalls_tf.rows.table import Table
from pitfalls_tf.sources import rodents


@pytest.mark.slow
def test_years_later_the_accuracy_is_half_and_the_confidence_is_not() -> None:
    everything = rodents.load()
    early = everything.between(datetime(1977, 1, 1, 7, tzinfo=UTC), datetime(1984, 1, 1, 7, tzinfo=UTC))
    late = everything.between(datetime(2001, 1, 1, 7, tzinfo=UTC), datetime(2003, 1, 1, 7, tzinfo=UTC))
    split = random_split(len(early), share=0.2, seed=0)
    training = early.take(split.training)
    encoding = feature_encoding.fit(training.rows, training.features)
    recipe = Recipe(architecture=Mlp(), epochs=10, batch=128, optimiser=Optimiser(kind="adam", learning_rate=3e-3))
    fits = ensemble.fit(recipe, Examples.from_table(training, encoding), seeds=(0,))

    def judged(table: Table) -> tuple[float, float]:
        shares = fits.predict(Examples.from_table(table, encoding).inputs)[0]
        return float((shares.argmax(axis=1) == table.targets()).mean()), float(shares.max(axis=1).mean())

    accuracy, confidence = judged(early.take(split.held_out))
    later_accuracy, later_confidence = judged(late)
    assert accuracy > 0.8
    assert later_accuracy < 0.55
    assert confidence - later_confidence < 0.7 * (accuracy - later_accuracy)
