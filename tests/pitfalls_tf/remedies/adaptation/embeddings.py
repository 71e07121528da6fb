"""A batch of embeddings in three of four domains, a target, and penalties as numpy computes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from pitfalls_tf.fitting.recipe import Outputs

if TYPE_CHECKING:
    from pitfalls_tf.fitting.recipe import Penalty

RANDOM = np.random.default_rng(7)
HERE = RANDOM.normal(size=(12, 3)).astype(np.float32)
THERE = (RANDOM.normal(size=(10, 3)) * [1, 2, 3] + 1).astype(np.float32)
DOMAINS = np.array([0, 1, 3, 0, 1, 3, 0, 1, 3, 0, 1, 1])  # no row of domain 2


def outputs(embedding: Any, domains: Any = None) -> Outputs:
    count = len(embedding)
    return Outputs(
        logits=tf.zeros((count, 2)),
        embedding=tf.constant(embedding),
        truths=tf.zeros((count, 2)),
        domains=tf.constant(np.zeros(count) if domains is None else domains, tf.int32),
    )


def value_of(penalty: Penalty, source: Outputs, target: Outputs | None = None, **more: Any) -> float:
    given = {"head": None, "progress": tf.constant(1.0), **more}
    return float(penalty(source, target, **given))
