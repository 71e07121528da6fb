"""What the source is for: a network that does well on the captures of its own years does not on those of 2001-02."""

from __future__ import annotations

from datetime import UTC, datetime

import keras
import numpy as np
import pytest

from pitfalls_tf.architectures import mlp
from pitfalls_tf.rows import feature_encoding
from pitfalls_tf.rows.splits import random_split
from pitfalls_tf.rows.table import Table
from pitfalls_tf.sources import rodents
from pitfalls_tf.training.named_setups import Mlp


@pytest.mark.slow
def test_years_later_the_accuracy_is_half_and_the_confidence_is_not() -> None:
    everything = rodents.load()
    early = everything.between(datetime(1977, 1, 1, 7, tzinfo=UTC), datetime(1984, 1, 1, 7, tzinfo=UTC))
    late = everything.between(datetime(2001, 1, 1, 7, tzinfo=UTC), datetime(2003, 1, 1, 7, tzinfo=UTC))
    split = random_split(len(early), share=0.2, seed=0)
    training = early.take(split.training)
    encoding = feature_encoding.fit(training.rows, training.features)
    layers = feature_encoding.layers(encoding)
    network = mlp.core(encoding.width, len(rodents.CLASSES), Mlp(hidden=(64, 32), dropout=0.0), seed=0)
    classifier = keras.Model(network.input, network.output["logits"])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    classifier.compile(optimizer=keras.optimizers.Adam(3e-3), loss=loss)
    encoded = feature_encoding.encode(layers, encoding, training.rows)
    classifier.fit(encoded, training.targets(), epochs=10, batch_size=128, verbose=0)

    def judged(table: Table) -> tuple[float, float]:
        logits = classifier(feature_encoding.encode(layers, encoding, table.rows))
        shares = np.asarray(keras.ops.softmax(logits))
        return float((shares.argmax(axis=1) == table.targets()).mean()), float(shares.max(axis=1).mean())

    accuracy, confidence = judged(early.take(split.held_out))
    later_accuracy, later_confidence = judged(late)
    assert accuracy > 0.8
    assert later_accuracy < 0.55
    assert confidence - later_confidence < 0.7 * (accuracy - later_accuracy)
