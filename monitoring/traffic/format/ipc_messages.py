"""Arrow IPC messages of record batches, encoded without Arrow: a header from a template, then the arrays' own bytes.

Arrow makes two objects and two buffers for each column: 130 µs for a batch of 22 columns, whatever its rows. From batch
to batch only lengths change, and those stand at fixed offsets of the message's header, so that a header is a template.

Layout: https://arrow.apache.org/docs/format/Columnar.html#encapsulated-message-format, and its Message.fbs.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa

LARGEST_OFFSET = 2**31 - 1
# Numbers, and texts of few lengths, have the same header again and again.
HEADERS_CACHED = 256
PREFIX = 8  # four bytes of continuation marker, four of the header's size
VARIES = -1
_PADDINGS = [b"\0" * (-size % 8) for size in range(8)]


@dataclass(frozen=True, slots=True, eq=False)
class BatchShape:
    """What all record batches of one schema, one number of rows and one set of tensor shapes have in common."""

    rows: int
    nodes: tuple[int, ...]
    """The length of each array; that of a list's values follows the list's own."""
    lengths: tuple[int, ...]
    """The size of each buffer in bytes, 0 where there is none, `VARIES` where each batch has its own."""


@dataclass(slots=True)
class BatchBody:
    """The buffers of a record batch's columns, one after another, each padded to eight bytes."""

    sizes: list[int] = field(default_factory=list)
    """The size in bytes of each buffer whose length varies."""
    parts: list[bytes | np.ndarray | array[int]] = field(default_factory=list)

    def add_strings(self, offsets: bytes, content: bytes) -> None:
        """Add the two buffers of an array of strings, whose content varies in length."""
        size = len(content)
        self.sizes.append(size)
        self.parts += (offsets, _PADDINGS[len(offsets) & 7], content, _PADDINGS[size & 7])


def padding(size: int) -> bytes:
    r"""The bytes that pad a buffer of this size to a multiple of eight. Returns 0 to 7 zero bytes.

    >>> padding(5), padding(8)
    (b'\x00\x00\x00', b'')
    """
    return _PADDINGS[size & 7]


@dataclass(frozen=True, slots=True, eq=False)
class MessageTemplate:
    """The header of every record batch of one schema, with the places of the numbers that differ."""

    header: np.ndarray  # int64: the whole message up to its body
    length: int  # index in `header` of the number of rows,
    body_length: int  # of the body's size,
    nodes: slice  # of the length of each array,
    offsets: slice  # of the offset of each buffer,
    lengths: slice  # and of its size
    cache: dict[tuple[object, ...], bytes] = field(default_factory=dict)  # headers by shape and sizes

    @classmethod
    def of(cls, record: pa.Buffer) -> MessageTemplate:
        """The template for messages of the same schema as this encoded record batch, which has at least one row."""
        size = PREFIX + struct.unpack_from("<i", record, 4)[0]
        data = record.slice(0, size).to_pybytes()
        message = _FlatbufferTable(data, PREFIX + struct.unpack_from("<I", data, PREFIX)[0])
        batch = message.table(2)
        nodes, node_count = batch.vector(1)
        buffers, buffer_count = batch.vector(2)
        return cls(
            header=np.frombuffer(data, "<i8"),
            length=batch.field(0) // 8,
            body_length=message.field(3) // 8,
            nodes=slice(nodes // 8, nodes // 8 + 2 * node_count, 2),
            offsets=slice(buffers // 8, buffers // 8 + 2 * buffer_count, 2),
            lengths=slice(buffers // 8 + 1, buffers // 8 + 2 * buffer_count, 2),
        )

    def encode(self, shape: BatchShape, body: BatchBody) -> bytes:
        """The message of a record batch; `shape` and `body` have the schema's arrays and buffers, in their order."""
        parts: list[Any] = body.parts  # arrays lend their bytes as bytes do
        key = (shape, *body.sizes)
        header = self.cache.get(key)
        if header is None:
            if len(self.cache) >= HEADERS_CACHED:
                self.cache.clear()
            header = self.cache[key] = self._header(shape, body.sizes)
        return b"".join([header, *parts])

    def _header(self, shape: BatchShape, sizes: list[int]) -> bytes:
        header = self.header.copy()
        lengths = np.array(shape.lengths, np.int64)
        lengths[lengths == VARIES] = sizes
        padded = (lengths + 7) & ~7
        ends = padded.cumsum()
        header[self.length] = shape.rows
        header[self.body_length] = ends[-1]
        header[self.nodes] = shape.nodes
        header[self.offsets] = ends - padded
        header[self.lengths] = lengths
        return header.tobytes()


def string_buffers(values: Sequence[bytes]) -> tuple[bytes, bytes]:
    r"""The two buffers of an array of byte strings.

    >>> string_buffers([b"ab", b""])
    (b'\x00\x00\x00\x00\x02\x00\x00\x00\x02\x00\x00\x00', b'ab')

    Returns:
        Offsets (int32, one more than there are values), and content.

    Raises:
        OverflowError: the offsets do not fit into 32 bits.
        TypeError: one of the values is not bytes.
    """
    joined = b"".join(values)
    if len(joined) > LARGEST_OFFSET:
        raise OverflowError
    return offset_bytes(list(map(len, values))), joined


def offset_bytes(sizes: Sequence[int]) -> bytes:
    """The offsets of elements of these sizes in bytes: int32, from 0, one more than there are elements."""
    size = sizes[0] if sizes else 0
    if sizes.count(size) == len(sizes):
        return even_offsets(len(sizes), size)  # one string, or ids of equal length
    return struct.pack(f"<{len(sizes) + 1}i", 0, *accumulate(sizes))


@lru_cache(maxsize=512)
def even_offsets(count: int, size: int) -> bytes:
    """The offsets of `count` elements of one size, as `offset_bytes` gives them."""
    return (np.arange(count + 1, dtype="<i4") * np.int32(size)).tobytes()


class _FlatbufferTable:
    """A table of a flatbuffer, whose fields are found through its vtable."""

    def __init__(self, data: bytes, start: int) -> None:
        self._data = data
        self._start = start
        self._vtable = start - struct.unpack_from("<i", data, start)[0]

    def field(self, number: int) -> int:
        """The offset of a field. A scalar of its default value has none; of a batch with rows no scalar is that."""
        return self._start + int(struct.unpack_from("<H", self._data, self._vtable + 4 + 2 * number)[0])

    def table(self, number: int) -> _FlatbufferTable:
        """The table that a field points to."""
        return _FlatbufferTable(self._data, self._follow(number))

    def vector(self, number: int) -> tuple[int, int]:
        """The offset of the first element of a vector, and the number of elements."""
        start = self._follow(number)
        return start + 4, int(struct.unpack_from("<I", self._data, start)[0])

    def _follow(self, number: int) -> int:
        place = self.field(number)
        return place + int(struct.unpack_from("<I", self._data, place)[0])
