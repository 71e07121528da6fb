"""GroupDRO against its definition."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from pitfalls_tf.fitting.recipe import Batch
from pitfalls_tf.remedies.adaptation.group_dro import GroupDro
from pitfalls_tf.rows.examples import Shape


def test_group_dro_gives_the_worst_domain_more_with_every_batch() -> None:
    shape = Shape(inputs=(1,), tokens=(1,), classes=2, domains=3)
    batch = Batch(inputs=None, truths=None, domains=tf.constant([0, 0, 2, 2, 2]))
    losses = tf.constant([1.0, 3.0, 4.0, 5.0, 6.0])
    robust = GroupDro(step=0.1)
    weights, shares = robust(batch, losses, None, tf.constant(robust.initial(shape), tf.float32))
    grown = np.exp([0.2, 0.0, 0.5]) / 3
    expected = grown / grown.sum()
    assert shares.numpy() == pytest.approx(expected, rel=1e-5)
    assert float(tf.reduce_mean(weights * losses)) == pytest.approx(expected @ [2, 0, 5], rel=1e-5)
    _, later = robust(batch, losses, None, shares)
    assert later.numpy()[2] > shares.numpy()[2] > shares.numpy()[1]
