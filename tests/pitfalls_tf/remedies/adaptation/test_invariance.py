"""IRM, GroupDRO and Mixup against their definitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from pitfalls_tf.fitting.recipe import Batch, Outputs
from pitfalls_tf.remedies.adaptation.group_dro import GroupDro
from pitfalls_tf.remedies.adaptation.irm import Irm
from pitfalls_tf.remedies.adaptation.mixup import Mixup, beta_quantiles, partners
from pitfalls_tf.rows.examples import Shape

RANDOM = np.random.default_rng(3)
LOGITS = RANDOM.normal(size=(9, 3)).astype(np.float32)
TRUTHS = np.eye(3, dtype=np.float32)[RANDOM.integers(0, 3, 9)]
TRUTHS[4] = 0
DOMAINS = np.array([0, 0, 2, 2, 2, 0, 2, 0, 2])


def test_irm_is_the_squared_gradient_by_a_dummy_classifier() -> None:
    said = Outputs(
        logits=tf.constant(LOGITS), embedding=None, truths=tf.constant(TRUTHS), domains=tf.constant(DOMAINS, tf.int32)
    )
    wanted = []
    for domain in (0, 2):
        taken = (domain == DOMAINS) & (TRUTHS.sum(1) > 0)
        factor = tf.Variable(1.0)
        with tf.GradientTape() as tape:
            losses = tf.nn.softmax_cross_entropy_with_logits(TRUTHS[taken], factor * LOGITS[taken])
            risk = tf.reduce_mean(losses)
        wanted.append(float(tape.gradient(risk, factor)) ** 2)
    irm = Irm(domains=3, weight=50.0, annealed=0.2)
    late = irm(said, None, head=None, progress=tf.constant(0.5))
    assert float(late) == pytest.approx(50 * np.mean(wanted), rel=1e-5)
    assert float(irm(said, None, head=None, progress=tf.constant(0.1))) == pytest.approx(np.mean(wanted), rel=1e-5)


def test_group_dro_gives_the_worst_domain_more_with_every_batch() -> None:
    shape = Shape(inputs=(1,), tokens=(1,), classes=2, domains=3)
    batch = Batch(inputs=None, truths=None, domains=tf.constant([0, 0, 2, 2, 2]))
    losses = tf.constant([1.0, 3.0, 4.0, 5.0, 6.0])
    robust = GroupDro(step=0.1)
    weights, shares = robust(batch, losses, None, tf.constant(robust.initial(shape), tf.float32))
    grown = np.exp([0.2, 0.0, 0.5]) / 3
    wanted = grown / grown.sum()
    assert shares.numpy() == pytest.approx(wanted, rel=1e-5)
    assert float(tf.reduce_mean(weights * losses)) == pytest.approx(wanted @ [2, 0, 5], rel=1e-5)
    _, later = robust(batch, losses, None, shares)
    assert later.numpy()[2] > shares.numpy()[2] > shares.numpy()[1]


@settings(max_examples=20, deadline=None)
@given(domains=st.lists(st.integers(0, 4), min_size=2, max_size=24), seed=st.integers(0, 2**30))
def test_partners_are_a_permutation_of_the_kind_asked_for(domains: list[int], seed: int) -> None:
    batch, key = tf.constant(domains, tf.int32), tf.constant([seed, 1], tf.int32)
    kinds: Any = ("any", "within", "across")
    said = {kind: partners(batch, key, kind).numpy() for kind in kinds}
    assert all(sorted(partner) == list(range(len(domains))) for partner in said.values())
    held = np.array(domains)
    assert (held[said["within"]] == held).all()
    if np.bincount(held).max() * 2 <= len(held):
        assert (held[said["across"]] != held).all()


def test_mixed_rows_lie_between_and_shares_follow_the_beta_law() -> None:
    inputs = RANDOM.normal(size=(6, 2, 2, 1)).astype(np.float32)
    truths = np.eye(2, dtype=np.float32)[[0, 1, 0, 1, 0, 1]]
    batch = Batch(inputs=tf.constant(inputs), truths=tf.constant(truths), domains=tf.constant([0, 1, 0, 1, 0, 1]))
    key = tf.constant([5, 6], tf.int32)
    mixed = Mixup(alpha=1.0, partners="across")(batch, key)
    partner = partners(batch.domains, key, "across").numpy()
    share = float(mixed.truths.numpy()[0, 0])  # the partner is of the other domain, and so of the other class
    assert 0 < share < 1
    assert mixed.inputs.numpy() == pytest.approx(share * inputs + (1 - share) * inputs[partner], abs=1e-5)
    assert mixed.truths.numpy() == pytest.approx(share * truths + (1 - share) * truths[partner], abs=1e-5)
    assert (mixed.domains.numpy() == batch.domains.numpy()).all()
    quantiles = np.array(beta_quantiles(0.2))
    assert quantiles.mean() == pytest.approx(0.5)
    assert quantiles.var() == pytest.approx(1 / (4 * (2 * 0.2 + 1)), rel=1e-3)
