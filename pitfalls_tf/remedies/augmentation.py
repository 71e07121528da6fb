"""Augmentation of images: every batch is trained on new variants of its images, whose labels stay.

A recipe of the kind that image classifiers use today: random affine maps, a random weight of the strokes, and random
erasing. Sources: Simard et al., *Best Practices for Convolutional Neural Networks Applied to Visual Document Analysis*
(ICDAR 2003) for affine maps of characters; Zhong et al., *Random Erasing Data Augmentation* (AAAI 2020).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from pitfalls_tf.fitting.recipe import Batch, Recipe
from pitfalls_tf.remedies.adaptation.mixup import uniform
from pitfalls_tf.remedies.remedy import Remedy, RemedyContext

Tensor = Any  # a tf.Tensor; TensorFlow has no types

DRAWS: Final = 11  # random numbers per image


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageAugmentation:
    """Random variants of images on a background of 0; each image draws its own, uniform within the limits.

    Attributes:
        scale: largest natural logarithm of the factor of each axis.
        weight: largest share of a dilation or an erosion by one pixel that is mixed in.
        erased: probability that a rectangle is set to 0, whose sides are up to `largest` of the image's.
    """

    rotation: float = 12.0
    scale: float = 0.2
    shear: float = 0.2
    shift: float = 0.1
    weight: float = 0.7
    erased: float = 0.5
    largest: float = 0.35

    def __call__(self, batch: Batch, seed: Tensor) -> Batch:
        """A batch of the same shapes. Cost: a few passes over the images, more than a small dense network's step."""
        import tensorflow as tf  # noqa: PLC0415 - a recipe is read without it

        images = batch.inputs
        count = tf.shape(images)[0]
        draws = tf.reshape(uniform(seed, DRAWS * count), (DRAWS, count))
        images = self._weighted(images, 2 * draws[0] - 1)
        images = _resampled(images, *self._maps(2 * draws[1:7] - 1))
        return replace(batch, inputs=images * self._mask(draws[7:11], images.shape))

    def _weighted(self, images: Tensor, draws: Tensor) -> Tensor:
        """Strokes thicker for positive draws, thinner for negative ones."""
        import tensorflow as tf  # noqa: PLC0415 - as above

        share = self.weight * draws[:, None, None, None]
        thick = tf.nn.max_pool2d(images, 3, 1, "SAME")
        thin = -tf.nn.max_pool2d(-images, 3, 1, "SAME")
        return images + tf.maximum(share, 0) * (thick - images) + tf.maximum(-share, 0) * (thin - images)

    def _maps(self, draws: Tensor) -> tuple[Tensor, Tensor]:
        """Maps from output to input coordinates relative to the centre: matrices [b, 2, 2], shifts [b, 2] in shares."""
        import tensorflow as tf  # noqa: PLC0415 - as above

        angle, shear = draws[0] * np.deg2rad(self.rotation), draws[1] * self.shear
        high, wide = tf.exp(draws[2] * self.scale), tf.exp(draws[3] * self.scale)
        cosine, sine = tf.cos(angle), tf.sin(angle)
        rows = [
            tf.stack([high * cosine, high * (shear * cosine - sine)], axis=-1),
            tf.stack([wide * sine, wide * (shear * sine + cosine)], axis=-1),
        ]
        return tf.stack(rows, axis=1), self.shift * tf.stack([draws[4], draws[5]], axis=-1)

    def _mask(self, draws: Tensor, shape: Any) -> Tensor:
        """Zero in each image's rectangle and one elsewhere, float32 [b, height, width, 1]."""
        import tensorflow as tf  # noqa: PLC0415 - as above

        size = tf.where(draws[0] < self.erased, self.largest * draws[0] / max(self.erased, 1e-6), 0.0)
        masks = []
        for side, position, axis in ((shape[1], draws[1], 1), (shape[2], draws[2], 2)):
            half = size * (0.5 + draws[3]) / 1.5 if axis == 1 else size * (1.5 - draws[3]) / 1.5
            places = (tf.range(side, dtype=tf.float32) + 0.5) / side
            masks.append(tf.abs(places - position[:, None]) < half[:, None] / 2)
        inside = masks[0][:, :, None] & masks[1][:, None, :]
        return tf.cast(~inside, tf.float32)[..., None]


def _resampled(images: Tensor, matrices: Tensor, shifts: Tensor) -> Tensor:
    """Each image through its map, bilinearly; 0 outside."""
    import tensorflow as tf  # noqa: PLC0415 - as above

    height, width = int(images.shape[1]), int(images.shape[2])
    axes = [np.arange(side, dtype=np.float32) - (side - 1) / 2 for side in (height, width)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    offsets = tf.multiply(shifts, [float(height), float(width)])
    moved = tf.einsum("bij,pj->bpi", matrices, tf.constant(grid)) + offsets[:, None, :]
    places = tf.add(moved, [(height - 1) / 2, (width - 1) / 2])
    low = tf.floor(places)
    part = places - low
    # A border of one pixel of 0, to which all places outside are moved.
    padded = tf.pad(images, [(0, 0), (1, 1), (1, 1), (0, 0)])
    flat = tf.reshape(padded, (-1, (height + 2) * (width + 2), images.shape[3]))
    total = tf.zeros((tf.shape(images)[0], height * width, images.shape[3]))
    for down in (0, 1):
        for right in (0, 1):
            corner = tf.add(low, [float(down), float(right)])
            share = tf.reduce_prod(tf.where([down == 1, right == 1], part, 1 - part), axis=-1, keepdims=True)
            row = tf.cast(tf.clip_by_value(corner[..., 0] + 1, 0, height + 1), tf.int32)
            column = tf.cast(tf.clip_by_value(corner[..., 1] + 1, 0, width + 1), tf.int32)
            total += share * tf.gather(flat, row * (width + 2) + column, batch_dims=1)
    return tf.reshape(total, tf.shape(images))


def augmented(context: RemedyContext) -> Recipe:
    """The recipe with augmented images."""
    recipe = context.recipe
    return replace(recipe, transforms=(*recipe.transforms, ImageAugmentation()))


AUGMENTATIONS: Final = (
    Remedy(
        name="image_augmentation",
        family="augmentation",
        source="Simard, Steinkraus and Platt, Best practices for convolutional neural networks applied to visual"
        " document analysis, ICDAR 2003; Zhong et al., Random erasing data augmentation, AAAI 2020",
        needs=("images",),
        change_recipe=augmented,
    ),
)
