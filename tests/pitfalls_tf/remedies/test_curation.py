"""Curated batches: which rows weigh what, by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from pitfalls_tf.fitting import ensemble
from pitfalls_tf.fitting.recipe import Batch
from pitfalls_tf.remedies.catalogue import family
from pitfalls_tf.remedies.curation import BalanceCuration, ConfidenceCuration, LossCuration, cost, left_out
from pitfalls_tf.rows.examples import Shape
from tests.pitfalls_tf.small_examples import RECIPE, rows

SHAPE = Shape(inputs=(1,), tokens=(1,), classes=2, domains=3)
TRUTHS = np.eye(2, dtype=np.float32)[[0, 0, 0, 1]]
BATCH = Batch(inputs=tf.zeros((4, 1)), truths=tf.constant(TRUTHS), domains=tf.constant([0, 0, 2, 2]))


def weights(curated: Any, *, losses: Any = None, logits: Any = None, memory: Any = None) -> tuple[Any, Any]:
    held = tf.constant(curated.initial(SHAPE) if memory is None else memory, tf.float32)
    losses = None if losses is None else tf.constant(losses, tf.float32)
    said, after = curated(BATCH, losses, None if logits is None else tf.constant(logits, tf.float32), held)
    return said.numpy(), after.numpy()


def test_the_smallest_or_largest_losses_teach() -> None:
    losses = [0.1, 5.0, 0.2, 0.3]
    assert weights(LossCuration(share=0.75), losses=losses)[0] == pytest.approx([4 / 3, 0, 4 / 3, 4 / 3])
    assert weights(LossCuration(share=0.5, kept="largest"), losses=losses)[0] == pytest.approx([0, 2, 0, 2])
    assert weights(LossCuration(share=0.01), losses=losses)[0] == pytest.approx([4, 0, 0, 0])


def test_what_is_confidently_another_class_is_set_aside() -> None:
    logits = np.log([[0.9, 0.1], [0.2, 0.8], [0.45, 0.55], [0.4, 0.6]])
    said, after = weights(ConfidenceCuration(pace=0.5), logits=logits)
    assert said == pytest.approx([1, 1, 1, 1])  # nothing is as sure as 1
    assert after == pytest.approx([0.5 + 0.5 * (0.9 + 0.2 + 0.45) / 3, 0.5 + 0.5 * 0.6])
    said, _ = weights(ConfidenceCuration(), logits=logits, memory=[0.6, 0.7])
    assert said == pytest.approx([4 / 3, 0, 4 / 3, 4 / 3])  # .8 is at least .7, .55 is not


def test_groups_that_are_there_count_equally() -> None:
    assert weights(BalanceCuration())[0] == pytest.approx([2 / 3, 2 / 3, 2 / 3, 2])
    assert weights(BalanceCuration(by="domain"))[0] == pytest.approx([1, 1, 1, 1])
    both = weights(BalanceCuration(by="both"))[0]
    assert both == pytest.approx([2 / 3, 2 / 3, 4 / 3, 4 / 3])


@pytest.mark.slow
def test_curated_seeds_train_and_what_they_set_aside_is_mostly_mislabelled() -> None:
    training = rows(400, seed=1)
    wrong = np.arange(400) % 7 == 0
    noisy = replace(training, targets=np.where(wrong & training.labelled, 1 - training.targets, training.targets))
    for remedy in family("curation"):
        recipe = remedy.apply(replace(RECIPE, epochs=6), noisy)
        fits = ensemble.fit(recipe, noisy, seeds=(0, 1))
        assert not fits.diverged
        if remedy.name in {"loss_curated", "confidence_curated"}:
            assert recipe.weighting is not None
            aside = left_out(recipe.weighting, fits, noisy)
            truly = wrong[noisy.labelled]
            assert aside.any(axis=1).all()
            assert (aside[:, truly].mean(axis=1) > 2 * aside[:, ~truly].mean(axis=1)).all()
    assert cost(RECIPE, 400).looked_at == 3 * 12 * 32
