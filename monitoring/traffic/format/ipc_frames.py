"""Record batches written without Arrow: the bytes of an IPC message put together from the arrays' own.

Arrow makes two objects and two buffers for each column, 130 µs for a batch of 22 columns, whatever its rows. But from
batch to batch only lengths change, and they stand at fixed places of the message's head, so the head is a template.

Layout: https://arrow.apache.org/docs/format/Columnar.html#encapsulated-message-format, and its Message.fbs.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa

LARGEST_OFFSET = 2**31 - 1
# Numbers, and texts of few lengths, come with the same head again and again.
HEADS_KEPT = 256
PREFIX = 8  # four bytes of continuation mark, four of the head's size
VARIES = -1
_PADS = [b"\0" * (-size % 8) for size in range(8)]


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """What the record batches of one schema, one number of rows and one set of shapes have in common."""

    rows: int
    nodes: tuple[int, ...]
    """The length of each array, those within lists after their list's."""
    lengths: tuple[int, ...]
    """The bytes of each buffer, 0 where there is none, `VARIES` where each batch has its own."""


@dataclass(slots=True)
class Body:
    """The buffers of a record batch's columns, one after another, each filled up to eight bytes."""

    sizes: list[int] = field(default_factory=list)
    """The bytes of each buffer whose length varies."""
    parts: list[bytes | np.ndarray] = field(default_factory=list)

    def text(self, offsets: bytes, content: bytes) -> None:
        """An array of texts: the content's length varies."""
        size = len(content)
        self.sizes.append(size)
        self.parts += (offsets, _PADS[len(offsets) & 7], content, _PADS[size & 7])


def pad(size: int) -> bytes:
    r"""What fills a buffer of so many bytes up to a multiple of eight.

    >>> pad(5), pad(8)
    (b'\x00\x00\x00', b'')
    """
    return _PADS[size & 7]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """The head of every record batch of one schema."""

    head: np.ndarray  # int64, the whole message up to its body
    length: int  # where in `head` the rows stand,
    body_length: int  # the body's size,
    nodes: slice  # each array's length,
    offsets: slice  # where each buffer begins,
    lengths: slice  # and its size
    known: dict[tuple[object, ...], bytes] = field(default_factory=dict)  # heads by form and sizes

    @classmethod
    def of(cls, record: pa.Buffer) -> Frame:
        """The head of an encoded record batch of at least one row, as a template for others of its schema."""
        data = record.to_pybytes()
        size = PREFIX + struct.unpack_from("<i", data, 4)[0]
        message = _Table(data, PREFIX + struct.unpack_from("<I", data, PREFIX)[0])
        batch = message.table(2)
        nodes, node_count = batch.vector(1)
        buffers, buffer_count = batch.vector(2)
        return cls(
            head=np.frombuffer(data[:size], "<i8"),
            length=batch.field(0) // 8,
            body_length=message.field(3) // 8,
            nodes=slice(nodes // 8, nodes // 8 + 2 * node_count, 2),
            offsets=slice(buffers // 8, buffers // 8 + 2 * buffer_count, 2),
            lengths=slice(buffers // 8 + 1, buffers // 8 + 2 * buffer_count, 2),
        )

    def encode(self, form: Form, body: Body) -> bytes:
        """The message of a record batch. Form and body must have the schema's arrays and buffers, in their order."""
        parts: list[Any] = body.parts  # arrays lend their bytes as bytes do
        key = (form, *body.sizes)
        head = self.known.get(key)
        if head is None:
            if len(self.known) >= HEADS_KEPT:
                self.known.clear()
            head = self.known[key] = self._head(form, body.sizes)
        return b"".join([head, *parts])

    def _head(self, form: Form, sizes: list[int]) -> bytes:
        head = self.head.copy()
        lengths = np.array(form.lengths, np.int64)
        lengths[lengths == VARIES] = sizes
        padded = (lengths + 7) & ~7
        ends = padded.cumsum()
        head[self.length] = form.rows
        head[self.body_length] = ends[-1]
        head[self.nodes] = form.nodes
        head[self.offsets] = ends - padded
        head[self.lengths] = lengths
        return head.tobytes()


def text_buffers(values: Sequence[bytes]) -> tuple[bytes, bytes]:
    r"""Offsets and content of an array of bytes.

    Raises TypeError if one of the values is something else, OverflowError if the offsets do not fit into 32 bits.

    >>> text_buffers([b"ab", b""])
    (b'\x00\x00\x00\x00\x02\x00\x00\x00\x02\x00\x00\x00', b'ab')
    """
    joined = b"".join(values)
    if len(joined) > LARGEST_OFFSET:
        raise OverflowError
    return offset_bytes(list(map(len, values))), joined


def offset_bytes(sizes: Sequence[int]) -> bytes:
    """The offsets of elements of these sizes, from 0, each four bytes."""
    size = sizes[0] if sizes else 0
    if sizes.count(size) == len(sizes):
        return even_offsets(len(sizes), size)  # one string, or ids of one kind
    return struct.pack(f"<{len(sizes) + 1}i", 0, *accumulate(sizes))


@lru_cache(maxsize=512)
def even_offsets(count: int, size: int) -> bytes:
    """The offsets of `count` elements of one size."""
    return (np.arange(count + 1, dtype="<i4") * np.int32(size)).tobytes()


class _Table:
    """A flatbuffer's table: its fields are found by way of its vtable."""

    def __init__(self, data: bytes, start: int) -> None:
        self._data = data
        self._start = start
        self._vtable = start - struct.unpack_from("<i", data, start)[0]

    def field(self, number: int) -> int:
        """Where a field stands. A scalar of its default value does not stand anywhere: not for a batch with rows."""
        return self._start + int(struct.unpack_from("<H", self._data, self._vtable + 4 + 2 * number)[0])

    def table(self, number: int) -> _Table:
        """The table that a field refers to."""
        return _Table(self._data, self._follow(number))

    def vector(self, number: int) -> tuple[int, int]:
        """Where the first element of a vector stands, and how many there are."""
        start = self._follow(number)
        return start + 4, int(struct.unpack_from("<I", self._data, start)[0])

    def _follow(self, number: int) -> int:
        place = self.field(number)
        return place + int(struct.unpack_from("<I", self._data, place)[0])
