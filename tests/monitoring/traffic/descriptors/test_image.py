"""Images as brightness, contrast, sharpness and saturation, from lists of numbers as a log has them."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from monitoring.traffic.descriptors.image import ImageDescriptors, leaf_counts

SHAPE = (16, 12, 3)
RNG = np.random.default_rng(2)
IMAGES = RNG.uniform(0, 1, (40, *SHAPE)).astype(np.float32)


def described(images: np.ndarray) -> dict[str, np.ndarray]:
    found = ImageDescriptors.of_tensor("i", images.shape[1:])
    assert found is not None
    read = ImageDescriptors.of(json.loads(json.dumps(found.document())))
    assert read == found
    cells = pa.array(images.reshape(len(images), -1).tolist())
    columns = read.describe(cells, np.zeros(len(images), np.int64))
    assert list(columns) == list(read.kinds)
    return {name.removeprefix("i."): column.to_numpy() for name, column in columns.items()}


def test_brightness_and_contrast_are_those_of_the_grey_image() -> None:
    found, grey = described(IMAGES), IMAGES.mean(axis=3)
    assert found["brightness"] == pytest.approx(grey.mean(axis=(1, 2)), abs=1e-6)
    assert found["contrast"] == pytest.approx(grey.std(axis=(1, 2)), abs=1e-6)


def test_each_change_moves_its_own_descriptor() -> None:
    before = {name: values.mean() for name, values in described(IMAGES).items()}
    blurred = (IMAGES + np.roll(IMAGES, 1, axis=1) + np.roll(IMAGES, 1, axis=2) + np.roll(IMAGES, (1, 1), (1, 2))) / 4
    grey = np.repeat(IMAGES.mean(axis=3, keepdims=True), 3, axis=3)
    darker = {name: values.mean() for name, values in described(IMAGES / 2).items()}
    assert described(blurred)["sharpness"].mean() < 0.7 * before["sharpness"]
    assert described(blurred)["brightness"].mean() == pytest.approx(before["brightness"], abs=1e-3)
    assert described(grey)["saturation"].max() < 1e-6 < before["saturation"]
    assert darker["brightness"] == pytest.approx(before["brightness"] / 2)


def test_of_a_large_image_some_pixels_are_looked_at() -> None:
    large = RNG.uniform(0, 255, (3, 300, 200, 1)).astype(np.uint8)
    found = described(large)
    assert list(found) == ["brightness", "contrast", "sharpness"]
    assert found["brightness"] == pytest.approx(large.mean(axis=(1, 2, 3)), abs=6)
    assert found["sharpness"] == pytest.approx(np.abs(np.diff(large.astype(float), axis=1)).mean(axis=(1, 2, 3)), abs=6)


def test_images_of_another_size_or_with_a_missing_pixel_are_missing() -> None:
    whole = IMAGES[0].ravel().tolist()
    cells = pa.array([whole, None, whole[:-1], [*whole[:-1], None]])
    found = ImageDescriptors(source="i", shape=SHAPE).describe(cells, np.zeros(4, np.int64))["i.brightness"]
    assert np.isfinite(found.to_numpy()).tolist() == [True, False, False, False]
    others = ImageDescriptors(source="i", shape=SHAPE).describe(pa.nulls(2), np.zeros(2, np.int64))
    assert np.isnan(others["i.contrast"].to_numpy()).all()


def test_lists_of_lists_are_the_same_images() -> None:
    one = ImageDescriptors(source="i", shape=SHAPE)
    when = np.zeros(4, np.int64)
    flat, nested = pa.array(IMAGES[:4].reshape(4, -1).tolist()), pa.array(IMAGES[:4].tolist())
    assert one.describe(nested, when) == one.describe(flat, when)
    assert one.reads(nested.type)
    assert not one.reads(pa.list_(pa.string()))


@pytest.mark.parametrize("shape", [(), (28,), (28, 28), (28, 28, 2), (-1, -1, 3), (4, 4, 3), (8, 8, 3, 1)])
def test_other_tensors_are_no_images(shape: tuple[int, ...]) -> None:
    assert ImageDescriptors.of_tensor("i", shape) is None


def test_numbers_in_lists_of_any_depth_are_counted() -> None:
    nested = pa.array([[[[1], [2, 3]], []], [], [[[4]]]])
    assert leaf_counts(nested).tolist() == [3, 0, 1]
    assert leaf_counts(nested[1:]).tolist() == [0, 1]
    fixed = pa.array([[1, 2], [3, 4], [5, 6]], pa.list_(pa.int8(), 2))
    assert leaf_counts(fixed[1:]).tolist() == [2, 2]
