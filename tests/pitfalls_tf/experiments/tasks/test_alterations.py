"""Alterations change what they say, by the seed alone, and leave the rest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.experiments.tasks.alterations import ALTERATIONS, Blur, MissingCategory, Noise, Rotation, find
from pitfalls_tf.rows.examples import Examples
from tests.pitfalls_tf.small_examples import rows


def images(count: int = 6) -> Examples:
    drawn = np.zeros((count, 9, 9, 1), dtype=np.float32)
    drawn[:, 4, 1:8] = 1.0
    return Examples(
        inputs=drawn,
        targets=np.zeros(count, dtype=np.int64),
        domains=np.full(count, "scanner"),
        times=np.full(count, "NaT", dtype="datetime64[us]"),
        classes=("line", "dot"),
    )


TABLE = rows(200, seed=1)


@pytest.mark.parametrize("name", ALTERATIONS)
def test_the_seed_decides_and_nothing_but_inputs_moves(name: str) -> None:
    alteration = ALTERATIONS[name]
    for kind, examples in (("images", images()), ("tables", TABLE)):
        if kind not in alteration.kinds:
            with pytest.raises(BadInput, match=f"{name} does not apply to {kind}"):
                find(name, examples.shape)
            continue
        before = examples.inputs.copy()
        altered = find(name, examples.shape)(examples, seed=1)
        assert (examples.inputs == before).all()
        assert (altered.inputs != before).any()
        assert altered.inputs.dtype == np.float32
        assert (altered.inputs == alteration(examples, seed=1).inputs).all()
        assert replace(altered, inputs=before).domains is examples.domains
        assert (altered.targets == examples.targets).all()
        if name != "blur":
            assert (altered.inputs != alteration(examples, seed=2).inputs).any()


def test_noise_is_a_share_of_the_deviation_and_leaves_categories_alone() -> None:
    table = replace(TABLE, inputs=TABLE.inputs * np.array([1, 10, 1, 1, 1, 1], dtype=np.float32))
    noise = Noise(share=0.5)(table, seed=0).inputs - table.inputs
    assert noise[:, :3].std(axis=0) == pytest.approx(0.5 * table.inputs[:, :3].std(axis=0), rel=0.15)
    assert (noise[:, 3:] == 0).all()
    noisy = Noise()(images(), seed=0).inputs
    assert noisy.min() == 0
    assert noisy.max() == 1


def test_blur_keeps_the_ink_and_rotation_turns_by_its_angle() -> None:
    blurred = Blur(pixels=1.0)(images(), seed=0).inputs
    assert blurred.sum() == pytest.approx(images().inputs.sum(), rel=0.02)
    assert blurred[0, 4, 4, 0] < 0.5 < images().inputs[0, 4, 4, 0]
    turned = Rotation(degrees=20.0)(images(200), seed=0).inputs[..., 0]
    yes, xes = np.mgrid[-4:5, -4:5]
    slopes = (turned * yes * xes).sum(axis=(1, 2)) / (turned * xes**2).sum(axis=(1, 2))
    angles = np.rad2deg(np.arctan(slopes))
    assert np.abs(angles).max() < 22
    assert np.abs(angles).max() > 15
    assert np.abs(angles.mean()) < 3


def test_a_category_is_missing_in_a_tenth_of_the_rows() -> None:
    altered = MissingCategory(share=0.1)(TABLE, seed=3).inputs
    missing = (altered[:, 3:] == 0).all(axis=1)
    assert missing.sum() == 20
    assert (altered[~missing] == TABLE.inputs[~missing]).all()
    assert (altered[:, :3] == TABLE.inputs[:, :3]).all()
    with pytest.raises(BadInput, match="no category"):
        MissingCategory()(replace(TABLE, tokens=(1,) * 6), seed=0)


def test_the_nearest_is_named() -> None:
    with pytest.raises(BadInput, match="Did you mean rotation"):
        find("rotaton", images().shape)
