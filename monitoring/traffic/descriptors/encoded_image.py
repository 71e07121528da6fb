"""Images as files: JPEG, PNG and others, whose pixels a model decodes itself."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.traffic.cells import is_text
from monitoring.traffic.descriptors.image import LOOKED_AT

if TYPE_CHECKING:
    from PIL.Image import Image

#: How the files begin of the formats that are read.
BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"BM", b"RIFF")

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP")

#: A larger file, or an image of more pixels, is not decoded, and so missing: what a row can cost is bounded.
MAX_BYTES = 1 << 24
MAX_PIXELS = 1 << 25

#: Cells of a column that are looked at to tell what it holds.
_TRIED = 100

_NAMES = ("brightness", "contrast", "sharpness", "saturation", "width", "height")


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedImageDescriptors:
    """The descriptors of a column of encoded images. A `Descriptors`.

    Brightness, contrast, sharpness and saturation are those of `monitoring.traffic.descriptors.image`, of values from 0
    to 1 and of the image made as small as `LOOKED_AT`; width and height are in pixels. What cannot be decoded is
    missing. Cost: the decoding of each image, some milliseconds for one of a megapixel.

    Attributes:
        source: The column.
    """

    source: str

    kind = "encoded image"

    @classmethod
    def of_column(cls, name: str, cells: pa.Array) -> EncodedImageDescriptors | None:
        """The descriptors of a column.

        Args:
            name: The column.
            cells: What it holds, [n].

        Returns:
            None unless its first cells are bytes that begin as images do.
        """
        if not (pa.types.is_binary(cells.type) or pa.types.is_large_binary(cells.type)):
            return None
        return cls(source=name) if begin_as_images(cells.drop_null()[:_TRIED].to_pylist()) else None

    @property
    def kinds(self) -> Mapping[str, Literal["number", "category"]]:
        """See `Descriptors`."""
        return {f"{self.source}.{name}": "number" for name in _NAMES}

    def reads(self, kind: pa.DataType) -> bool:
        """See `Descriptors`."""
        return is_text(kind) or bool(pa.types.is_null(kind))

    def describe(self, cells: pa.Array, event_us: NDArray[np.int64]) -> dict[str, pa.Array]:
        """See `Descriptors`."""
        found = np.full((len(cells), len(_NAMES)), np.nan)
        for place, cell in enumerate(_bytes_of(cells)):
            image = None if cell is None else _opened(cell)
            if image is not None:
                found[place] = _measured(image)
        return dict(zip(self.kinds, map(pa.array, found.T), strict=True))

    def document(self) -> dict[str, Any]:
        """See `Descriptors`."""
        return {"kind": self.kind, "source": self.source}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> EncodedImageDescriptors:
        """The descriptors of a document that `document` gave."""
        return cls(source=document["source"])


def begin_as_images(cells: Sequence[object]) -> bool:
    r"""Whether the first cells are bytes that begin as images do, and there are some.

    >>> begin_as_images([b"\xff\xd8\xff\xe0"]), begin_as_images([b"text"]), begin_as_images([])
    (True, False, False)

    Args:
        cells: What a column holds.

    Returns:
        Whether it holds encoded images.
    """
    tried = cells[:_TRIED]
    return bool(tried) and all(isinstance(one, bytes) and one.startswith(BEGINNINGS) for one in tried)


def blank_images(cells: Sequence[bytes]) -> list[bytes]:
    """Grey images of the sizes and formats of others; of what is no image the bytes themselves are left out.

    Args:
        cells: Encoded images.

    Returns:
        As many, without anything of what they show.
    """
    from PIL import Image  # noqa: PLC0415 - only where there are images

    found = []
    for cell in cells:
        image, blank = _opened(cell, decode=False), io.BytesIO()
        if image is not None:
            Image.new("RGB", image.size, (128, 128, 128)).save(blank, image.format or "PNG")
        found.append(blank.getvalue())
    return found


def _bytes_of(cells: pa.Array) -> Iterator[bytes | None]:
    """Each cell's bytes; of text its encoding."""
    for cell in cells.to_pylist():
        yield cell.encode("utf-8", "surrogateescape") if isinstance(cell, str) else cell


def _opened(cell: bytes, *, decode: bool = True) -> Image | None:
    """An image, decoded or only its header; None where it is none, is damaged, or is too large."""
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - as above

    if not cell.startswith(BEGINNINGS) or len(cell) > MAX_BYTES:
        return None
    try:
        image = Image.open(io.BytesIO(cell), formats=FORMATS)
        if image.width * image.height > MAX_PIXELS:
            return None
        if decode:
            image.load()
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    return image


def _measured(image: Image) -> list[float]:
    """The descriptors of a decoded image."""
    width, height = image.size
    small = image.convert("RGB")
    small.thumbnail((LOOKED_AT, LOOKED_AT))
    values = np.asarray(small, dtype=np.float64) / 255.0
    grey = values.mean(axis=2)
    steps = [np.abs(np.diff(grey, axis=axis)).mean() if grey.shape[axis] > 1 else 0.0 for axis in (0, 1)]
    saturation = (values.max(axis=2) - values.min(axis=2)).mean()
    return [float(one) for one in (grey.mean(), grey.std(), sum(steps) / 2, saturation, width, height)]
