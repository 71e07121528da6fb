"""Encoded images are described by their pixels; what cannot be decoded, or costs too much, is missing."""

from __future__ import annotations

import io
import zlib

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from monitoring.traffic.descriptors import encoded_image
from monitoring.traffic.descriptors.encoded_image import EncodedImageDescriptors, begin_as_images, blank_images
from monitoring.traffic.descriptors.registry import read_descriptors


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
    assert begin_as_images([*[encoded((0, 0, 0), kind="BMP")] * 9, b"damaged"])
    assert not begin_as_images([b"BMW-1234567890", b"RIFF1234WAVE"])


def test_structs_of_bytes_and_a_path_are_images() -> None:
    cells = pa.array([{"bytes": encoded((255, 0, 0)), "path": "a.png"}, None, {"bytes": None, "path": "b.png"}])
    found = EncodedImageDescriptors.of_column("photo", cells)
    assert found is not None
    assert found.reads(cells.type)
    widths = found.describe(cells, np.zeros(3, np.int64))["photo.width"].to_pylist()
    assert widths[0] == 40.0
    assert np.isnan(widths[1:]).all()


def test_sixteen_bits_are_not_clipped() -> None:
    file = io.BytesIO()
    Image.fromarray(np.full((8, 8), 0x8000, np.uint16)).save(file, "PNG")
    assert described(file.getvalue())["brightness"] == pytest.approx([0.5], abs=0.01)


def test_a_large_jpeg_is_described_by_its_own_size_and_pixels_as_if_decoded_in_full() -> None:
    values = np.add.outer(np.arange(600) % 256, np.zeros(800)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(values).save(file, "JPEG", quality=95)
    found = described(file.getvalue())
    assert (found["width"], found["height"]) == ([800.0], [600.0])
    assert found["brightness"] == pytest.approx([values.mean() / 255], abs=0.01)
    assert found["contrast"] == pytest.approx([values.std() / 255], abs=0.02)


def test_an_image_that_would_fill_the_memory_is_not_decoded_and_warns_nobody(recwarn: pytest.WarningsRecorder) -> None:
    small = bytearray(encoded((9, 9, 9)))
    for side, place in ((13_000, 16), (12_000, 20)):
        small[place : place + 4] = side.to_bytes(4, "big")
    small[29:33] = zlib.crc32(bytes(small[12:29])).to_bytes(4, "big")
    assert np.isnan(described(bytes(small))["width"]).all()
    assert not recwarn.list


def test_damaged_files_raise_nothing() -> None:
    rng = np.random.default_rng(5)
    wholes = [encoded((9, 200, 9), kind=kind) for kind in ("PNG", "JPEG", "GIF", "BMP", "WEBP")]
    damaged = []
    for one in wholes * 40:
        cell = bytearray(one)
        cell[int(rng.integers(0, len(cell)))] = int(rng.integers(0, 256))
        damaged += [bytes(cell), one[: int(rng.integers(0, len(one)))]]
    widths = np.array(described(*damaged)["width"])
    assert 0 < np.isnan(widths).sum() < widths.size


def test_a_blank_image_has_size_and_format_alone() -> None:
    blank, none = blank_images([encoded((255, 0, 0), (7, 9), "JPEG"), b"text"])
    image = Image.open(io.BytesIO(blank))
    assert (image.size, image.format, none) == ((7, 9), "JPEG", b"")
    assert described(blank)["saturation"] == pytest.approx([0.0], abs=0.01)
