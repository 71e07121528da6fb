"""Augmentation of images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from monitoring.errors import BadInput
from pitfalls_tf.fitting.recipe import Batch
from pitfalls_tf.remedies.augmentation import ImageAugmentation
from pitfalls_tf.remedies.catalogue import find
from tests.pitfalls_tf.small_examples import RECIPE, rows

NOTHING = ImageAugmentation(rotation=0, scale=0, shear=0, shift=0, weight=0, erased=0)
IMAGES = np.random.default_rng(1).random((8, 10, 12, 2)).astype(np.float32)


def applied(augmentation: ImageAugmentation, images: np.ndarray, seed: tuple[int, int] = (1, 2)) -> np.ndarray:
    """The images of a batch after the augmentation."""
    count = len(images)
    batch = Batch(
        inputs=tf.constant(images), truths=tf.one_hot(tf.zeros(count, tf.int32), 3), domains=tf.zeros(count, tf.int32)
    )
    changed = augmentation(batch, tf.constant(seed))
    assert changed.truths is batch.truths
    result: np.ndarray = changed.inputs.numpy()
    return result


def test_without_any_change_images_stay_as_they_are() -> None:
    assert np.allclose(applied(NOTHING, IMAGES), IMAGES, atol=1e-5)


def test_variants_follow_from_the_seed_and_differ_between_images() -> None:
    same = np.repeat(IMAGES[:1], 6, axis=0)
    one, again, other = (applied(ImageAugmentation(), same, (3, step)) for step in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert len(np.unique(one.reshape(6, -1), axis=0)) == 6
    assert one.shape == same.shape


def test_a_shift_moves_the_centre_of_mass_by_no_more_than_its_limit() -> None:
    image = np.zeros((64, 21, 21, 1), np.float32)
    image[:, 9:12, 9:12] = 1
    moved = applied(replace(NOTHING, shift=0.2), image)
    places = np.arange(21)
    rows_of = (moved[..., 0].sum(axis=2) * places).sum(axis=1) / moved.sum(axis=(1, 2, 3))
    assert np.abs(rows_of - 10).max() <= 0.2 * 21 + 1e-3
    assert np.abs(rows_of - 10).max() > 0.1 * 21


@pytest.mark.parametrize(("augmentation", "changes_mass"), [("rotation", False), ("weight", True), ("erased", True)])
def test_each_setting_has_its_effect(augmentation: str, changes_mass: bool) -> None:
    image = np.zeros((64, 21, 21, 1), np.float32)
    image[:, 6:15, 9:12] = 1
    settings = {"rotation": {"rotation": 12.0}, "weight": {"weight": 0.7}, "erased": {"erased": 1.0}}
    moved = applied(replace(NOTHING, **settings[augmentation]), image)
    assert not np.allclose(moved, image)
    mass = moved.sum(axis=(1, 2, 3)) / image[0].sum()
    assert (mass.std() > 0.05) == changes_mass
    if augmentation == "erased":
        assert (mass <= 1).all()


def test_it_needs_images() -> None:
    with pytest.raises(BadInput, match="rows of shape"):
        find("image_augmentation").apply(RECIPE, rows(20, seed=1))
