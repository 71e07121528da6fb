"""Encoded images are described by their pixels; what cannot be decoded, or costs too much, is missing."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from monitoring.traffic.descriptors import encoded_image
from monitoring.traffic.descriptors.descriptors import read_descriptors
from monitoring.traffic.descriptors.encoded_image import EncodedImageDescriptors, begin_as_images, blank_images


def encoded(colour: tuple[int, int, int], size: tuple[int, int] = (40, 20), kind: str = "PNG") -> bytes:
    found = io.BytesIO()
    Image.new("RGB", size, colour).save(found, kind)
    return found.getvalue()


def described(*cells: bytes | str | None) -> dict[str, list[float]]:
    column = pa.array(cells, pa.string() if any(isinstance(one, str) for one in cells) else pa.binary())
    found = EncodedImageDescriptors(source="photo").describe(column, np.zeros(len(cells), np.int64))
    return {name.removeprefix("photo."): values.to_pylist() for name, values in found.items()}


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP"])
def test_pixels_and_sizes_are_described_in_every_format(kind: str) -> None:
    found = described(encoded((255, 0, 0), kind=kind))
    assert found["brightness"] == pytest.approx([1 / 3], abs=0.03)
    assert found["saturation"] == pytest.approx([1.0], abs=0.05)
    assert [*found["contrast"], *found["sharpness"]] == pytest.approx([0.0, 0.0], abs=0.01)
    assert (found["width"], found["height"]) == ([40.0], [20.0])


def test_edges_are_sharp_and_a_pixel_alone_has_none() -> None:
    checks = io.BytesIO()
    Image.fromarray((np.indices((16, 16)).sum(axis=0) % 2 * 255).astype(np.uint8)).save(checks, "PNG")
    found = described(checks.getvalue(), encoded((9, 9, 9), (1, 1)))
    assert found["sharpness"] == [1.0, 0.0]


def test_what_is_no_image_is_damaged_or_too_large_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = encoded((9, 9, 9))
    monkeypatch.setattr(encoded_image, "MAX_PIXELS", 40 * 20)
    found = described(whole, None, b"", b"text", whole[:40], encoded((9, 9, 9), (41, 20)))["width"]
    assert found[0] == 40.0
    assert np.isnan(found[1:]).all()
    assert np.isnan(described("text")["width"]).all()
    monkeypatch.setattr(encoded_image, "MAX_BYTES", len(whole) - 1)
    assert np.isnan(described(whole)["width"]).all()


def test_a_column_of_images_is_known_by_how_they_begin() -> None:
    images = pa.array([None, encoded((0, 0, 0)), encoded((0, 0, 0), kind="JPEG")])
    found = EncodedImageDescriptors.of_column("photo", images)
    assert found is not None
    assert read_descriptors(found.document()) == found
    assert EncodedImageDescriptors.of_column("photo", pa.array([b"word"])) is None
    assert EncodedImageDescriptors.of_column("photo", pa.array(["word"])) is None
    assert EncodedImageDescriptors.of_column("photo", pa.array([None], pa.binary())) is None
    assert not begin_as_images([encoded((0, 0, 0)), b""])


def test_a_blank_image_has_size_and_format_alone() -> None:
    blank, none = blank_images([encoded((255, 0, 0), (7, 9), "JPEG"), b"text"])
    image = Image.open(io.BytesIO(blank))
    assert (image.size, image.format, none) == ((7, 9), "JPEG", b"")
    assert described(blank)["saturation"] == pytest.approx([0.0], abs=0.01)
