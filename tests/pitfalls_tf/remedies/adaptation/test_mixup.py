"""Mixup: partners of the kind asked for, and shares by the beta distribution."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from pitfalls_tf.fitting.recipe import Batch
from pitfalls_tf.remedies.adaptation.mixup import Mixup, beta_quantiles, partners

RANDOM = np.random.default_rng(3)


@settings(max_examples=20, deadline=None)
@given(domains=st.lists(st.integers(0, 4), min_size=2, max_size=24), seed=st.integers(0, 2**30))
def test_partners_are_a_permutation_of_the_kind_asked_for(domains: list[int], seed: int) -> None:
    batch, key = tf.constant(domains, tf.int32), tf.constant([seed, 1], tf.int32)
    kinds: Any = ("any", "within", "across")
    found = {kind: partners(batch, key, kind).numpy() for kind in kinds}
    assert all(sorted(partner) == list(range(len(domains))) for partner in found.values())
    held = np.array(domains)
    assert (held[found["within"]] == held).all()
    if np.bincount(held).max() * 2 <= len(held):
        assert (held[found["across"]] != held).all()


def test_mixed_rows_lie_between_and_shares_follow_the_beta_distribution() -> None:
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
