"""Weights of a run as a file: read back to the bit, or refused in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.fitting.fits import Epoch, Member
from pitfalls_tf.training import weights

EPOCHS = (
    Epoch(number=1, loss=0.5, gradient_norm=2.0),
    Epoch(number=2, loss=0.25, gradient_norm=1.0, validation_log_loss=0.3, validation_brier=0.1, validation_error=0.2),
)


def member(seed: int) -> Member:
    rng = np.random.default_rng(seed)
    kernels = tuple(rng.normal(size=(3, 2)).astype(np.float32) for _ in range(12))
    state = (np.array([seed, 0], dtype=np.uint32), np.array([0.5], dtype=np.float32))
    return Member(seed=seed, weights=kernels, state=state, epochs=EPOCHS, weights_epoch=2)


def test_members_are_read_back_to_the_bit(tmp_path: Path) -> None:
    written = [member(seed) for seed in range(11)]
    weights.write(written, tmp_path)
    read = weights.read(tmp_path)
    assert [(one.seed, one.weights_epoch, one.epochs) for one in read] == [
        (one.seed, one.weights_epoch, one.epochs) for one in written
    ]
    assert weights.digest(read) == weights.digest(written)
    for before, after in zip(written, read, strict=True):
        for left, right in zip((*before.weights, *before.state), (*after.weights, *after.state), strict=True):
            assert left.dtype == right.dtype
            assert (left == right).all()


def test_the_digest_changes_with_any_bit_and_with_nothing_else() -> None:
    one = member(0)
    changed = list(one.weights)
    changed[3] = np.nextafter(changed[3], np.float32(np.inf))
    assert weights.digest([replace(one, weights=tuple(changed))]) != weights.digest([one])
    assert weights.digest([replace(one, state=(*one.state, one.state[0]))]) != weights.digest([one])
    assert weights.digest([replace(one, seed=7, weights_epoch=1, epochs=())]) == weights.digest([one])


def test_weights_that_are_missing_or_damaged_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"fit\.npz.*--fresh"):
        weights.read(tmp_path)
    weights.write([member(0)], tmp_path)
    whole = (tmp_path / weights.FIT).read_bytes()
    (tmp_path / weights.FIT).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match="weights cannot be read"):
        weights.read(tmp_path)
