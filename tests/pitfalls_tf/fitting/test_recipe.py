"""Recipes: equal where their settings are, and a loss that takes nothing from rows without a label."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from pitfalls_tf.architectures.mlp import Mlp
from pitfalls_tf.fitting.recipe import CrossEntropy, EarlyStopping, Recipe

PLAIN = Recipe(architecture=Mlp(), epochs=2, batch=8)
LOGITS = np.array([[2.0, 0.0, -1.0], [0.0, 0.0, 0.0]], dtype=np.float32)


def test_recipes_of_equal_settings_are_equal_and_hash_alike() -> None:
    again = Recipe(architecture=Mlp(), epochs=2, batch=8)
    assert again == PLAIN
    assert len({again, PLAIN}) == 1
    for changed in (
        replace(PLAIN, stopping=EarlyStopping(patience=1)),
        replace(PLAIN, loss=CrossEntropy(smoothing=0.1)),
        replace(PLAIN, architecture=Mlp(dropout=0.1)),
        replace(PLAIN, trained="logits"),
    ):
        assert changed != PLAIN


def test_cross_entropy_is_that_of_keras_with_smoothing_and_without() -> None:
    import keras

    truths = np.eye(3, dtype=np.float32)[[0, 2]]
    for smoothing in (0.0, 0.1):
        ours = CrossEntropy(smoothing=smoothing)(tf.constant(truths), tf.constant(LOGITS)).numpy()
        theirs = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing, reduction=None)
        assert ours == pytest.approx(theirs(truths, LOGITS).numpy(), abs=1e-6)


@given(smoothing=st.sampled_from([0.0, 0.1, 0.5]), scale=st.floats(-20, 20))
def test_a_row_without_a_label_has_no_loss_and_no_gradient(smoothing: float, scale: float) -> None:
    logits = tf.constant(LOGITS * np.float32(scale))
    truths = tf.constant(np.array([[0, 0, 0], [0, 1, 0]], dtype=np.float32))
    with tf.GradientTape() as tape:
        tape.watch(logits)
        losses = CrossEntropy(smoothing=smoothing)(truths, logits)
    gradient = tape.gradient(losses, logits).numpy()
    assert losses.numpy()[0] == 0
    assert not gradient[0].any()
    assert losses.numpy()[1] > 0


def test_a_recipe_is_read_without_a_framework() -> None:
    code = "import sys, pitfalls_tf.fitting.recipe as r; assert not {'tensorflow', 'keras'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
