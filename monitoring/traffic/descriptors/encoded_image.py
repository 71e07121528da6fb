"""Images as files: JPEG, PNG and others, whose pixels somebody else decodes for the model."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from typing_extensions import override

from monitoring.traffic.cells import is_text
from monitoring.traffic.descriptors.descriptors import Descriptors
from monitoring.traffic.descriptors.image import LOOKED_AT

if TYPE_CHECKING:
    from PIL.Image import Image

#: How the files begin of the formats that are read; "." is any byte.
_BEGINNING = re.compile(rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|BM....\0\0\0\0|RIFF....WEBP", re.DOTALL)

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP")

#: A larger file, or an image of more pixels, is not decoded, and so missing: what a row can cost is bounded.
MAX_BYTES = 1 << 24
MAX_PIXELS = 1 << 25

#: Cells of a column that are looked at to tell what it holds, and the share that have to begin as images do.
TRIED = 100
_MOSTLY = 0.9

#: The field of a struct that holds an image's bytes: data sets of Hugging Face have `{bytes, path}`.
_FIELD = "bytes"

_NAMES = ("brightness", "contrast", "sharpness", "saturation", "width", "height")


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedImageDescriptors(Descriptors):
    """The descriptors of a column of encoded images. A `Descriptors`.

    Brightness, contrast, sharpness and saturation are those of `monitoring.traffic.descriptors.image`, of values from 0
    to 1 and of the image made as small as `LOOKED_AT`; width and height are in pixels. What cannot be decoded is
    missing. Cost: the decoding of each image; for one of a megapixel 2 ms as JPEG, 13 to 36 ms as WebP or PNG.
    """

    source: str

    kind = "image"

    @classmethod
    def of_column(cls, name: str, cells: pa.Array) -> EncodedImageDescriptors | None:
        """The descriptors of a column.

        Args:
            cells: What it holds, [n].

        Returns:
            None unless its first cells are bytes that begin as images do, or structs of such `bytes` and others.
        """
        tried = image_bytes(cells.drop_null()[:TRIED])
        if not (pa.types.is_binary(tried.type) or pa.types.is_large_binary(tried.type)):
            return None
        return cls(source=name) if begin_as_images(tried.drop_null().to_pylist()) else None

    @property
    @override
    def kinds(self) -> Mapping[str, Literal["number", "category"]]:
        return {f"{self.source}.{name}": "number" for name in _NAMES}

    @override
    def reads(self, kind: pa.DataType) -> bool:
        return is_text(_type_of_bytes(kind)) or bool(pa.types.is_null(kind))

    @override
    def describe(self, cells: pa.Array, event_us: NDArray[np.int64]) -> dict[str, pa.Array]:
        numbers = np.full((len(cells), len(_NAMES)), np.nan)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of images too large, which are not decoded, and of odd metadata
            for place, cell in enumerate(_bytes_of(image_bytes(cells))):
                image = None if cell is None else opened(cell)
                if image is not None:
                    numbers[place] = _measured(*image)
        return dict(zip(self.kinds, map(pa.array, numbers.T), strict=True))

    @override
    def document(self) -> dict[str, Any]:
        return {"kind": "encoded image", "source": self.source}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> EncodedImageDescriptors:
        """The descriptors of a document that `document` gave."""
        return cls(source=document["source"])


def begin_as_images(cells: Sequence[object]) -> bool:
    r"""Whether nearly all of the first cells are bytes that begin as images do, and there are some.

    >>> begin_as_images([b"\xff\xd8\xff\xe0"]), begin_as_images([b"text"]), begin_as_images([])
    (True, False, False)
    """
    tried = cells[:TRIED]
    images = sum(isinstance(cell, bytes) and _BEGINNING.match(cell) is not None for cell in tried)
    return images > 0 and images >= _MOSTLY * len(tried)


def blank_images(cells: Sequence[bytes]) -> list[bytes]:
    """Grey images of the sizes and formats of others; of what is no image the bytes themselves are left out.

    Returns:
        As many, without anything of what they show.
    """
    from PIL import Image  # noqa: PLC0415 - only where there are images

    blanks = []
    for cell in cells:
        header, blank = opened(cell, decode=False), io.BytesIO()
        if header is not None:
            image, size = header
            Image.new("RGB", size, (128, 128, 128)).save(blank, image.format or "PNG")
        blanks.append(blank.getvalue())
    return blanks


def image_bytes(cells: pa.Array) -> pa.Array:
    """The images of cells: the cells, or the `bytes` of structs."""
    if _type_of_bytes(cells.type) == cells.type:
        return cells
    return pc.struct_field(cells, _FIELD)


def images_by_id(cells: Mapping[str, Any]) -> dict[str, bytes]:
    """The files among cells: bytes, text or structs of `bytes`.

    >>> images_by_id({"a": {"bytes": b"GIF8", "path": None}, "b": b"BM", "c": None})
    {'a': b'GIF8', 'b': b'BM'}
    """
    plain = {name: cell.get(_FIELD) if isinstance(cell, dict) else cell for name, cell in cells.items()}
    return {name: _as_bytes(cell) for name, cell in plain.items() if cell is not None}


def _type_of_bytes(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_struct(kind) and kind.get_field_index(_FIELD) >= 0:
        return kind.field(_FIELD).type
    return kind


def _bytes_of(cells: pa.Array) -> Iterator[bytes | None]:
    """Each cell's bytes, one after the other; of text its encoding."""
    for cell in cells:
        value = cell.as_py()
        yield None if value is None else _as_bytes(value)


def _as_bytes(value: bytes | str) -> bytes:
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value


def opened(cell: bytes, *, decode: bool = True, side: int = LOOKED_AT) -> tuple[Image, tuple[int, int]] | None:
    """An encoded image and its size."""
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - as above

    if not _BEGINNING.match(cell) or len(cell) > MAX_BYTES:
        return None
    try:
        image = Image.open(io.BytesIO(cell), formats=FORMATS)
        size = image.size
        if image.width * image.height > MAX_PIXELS:
            return None
        if decode:
            image.draft(None, (2 * side, 2 * side))
            image.load()
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    return image, size


def small_pixels(image: Image, side: int) -> NDArray[np.uint8]:
    """The colours of a decoded image, made as small as `side` pixels on its longer side."""
    from PIL import Image  # noqa: PLC0415 - as above

    if image.mode.startswith("I"):  # 16 bits, which a conversion would clip
        image = Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8))
    small = image.convert("RGB")
    small.thumbnail((side, side))
    return np.asarray(small, dtype=np.uint8)


def _measured(image: Image, size: tuple[int, int]) -> list[float]:
    """The descriptors of a decoded image, whose file has this width and height."""
    values = small_pixels(image, LOOKED_AT).astype(np.float64) / 255.0
    grey = values.mean(axis=2)
    steps = [np.abs(np.diff(grey, axis=axis)).mean() if grey.shape[axis] > 1 else 0.0 for axis in (0, 1)]
    saturation = (values.max(axis=2) - values.min(axis=2)).mean()
    return [float(number) for number in (grey.mean(), grey.std(), sum(steps) / 2, saturation, *size)]
