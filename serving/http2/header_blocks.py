"""Blocks of compressed headers (RFC 7541) by the library hpack, each read or written once while it means the same.

A client that repeats a call sends the same few bytes again, and answers differ in their ids alone: what the library
takes for a block is paid once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import final

from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError
from hpack import Decoder, Encoder, HPACKError, OversizedHeaderListError
from hpack.struct import HeaderTuple
from hpack.table import HeaderTable

Header = tuple[bytes, bytes]

#: The most bytes of the headers of one call, compressed, and expanded with 32 for each.
LIST_BYTES = 16384
#: Blocks that were read lately, by their bytes. Larger ones are not kept.
KEPT_BLOCKS, KEPT_BYTES = 64, 512
#: The length of a longer value takes more than a byte.
MULTIBYTE = 127
#: The first three bits of a change of the table's size, which may stand at the beginning only.
RESIZE_MASK, RESIZE = 0xE0, 0x20
#: Headers that stand for entries of the tables, of a byte each.
_INDEXED = re.compile(rb"[\x80-\xfe]*")


class CompressionFault(ProtocolError):
    """A block that cannot be read. The connection ends, since both ends' tables differ from now on."""

    error_code = ErrorCodes.COMPRESSION_ERROR


class TooManyHeaders(ProtocolError):
    """A block that is too large, or expands to more than a call's headers may take."""

    error_code = ErrorCodes.ENHANCE_YOUR_CALM


@final
class _Table(HeaderTable):
    """Counts its changes: after one, the same bytes may mean other headers."""

    changes = 0

    def add(self, name: bytes, value: bytes) -> None:
        self.changes += 1
        super().add(name, value)

    @property
    def maxsize(self) -> int:
        return self._maxsize

    @maxsize.setter
    def maxsize(self, newmax: int) -> None:
        self.changes += 1
        HeaderTable.maxsize.__set__(self, newmax)  # type: ignore[attr-defined]  # a property


@final
class BlockDecoder(Decoder):
    """Reads the blocks of one connection, in the order of their arrival."""

    def __init__(self) -> None:
        super().__init__(max_header_list_size=LIST_BYTES)
        self.header_table: _Table = _Table()
        self._blocks: dict[bytes, list[HeaderTuple]] = {}

    def decode(self, data: bytes, raw: bool = False) -> Iterable[HeaderTuple]:  # noqa: FBT001, FBT002 - as hpack has it
        """Read a block.

        Raises:
            CompressionFault: It is invalid.
            TooManyHeaders: It is too large.
        """
        headers = self._blocks.get(data)
        if headers is not None:
            return headers
        if len(data) > LIST_BYTES:
            raise TooManyHeaders(f"Headers of {len(data)} bytes, compressed")
        begin = _INDEXED.match(data).end()  # type: ignore[union-attr]  # it matches nothing, too
        if begin and data[begin:] and data[begin] & RESIZE_MASK == RESIZE:
            raise CompressionFault("A table's size changes within a block.")
        if begin < len(data):  # what clients repeat comes first; ids and deadlines, new with each call, come last
            return [*(self._decoded(data[:begin]) if begin else ()), *self._decoded(data[begin:])]
        return self._decoded(data)

    def _decoded(self, data: bytes) -> list[HeaderTuple]:
        headers = self._blocks.get(data)
        if headers is not None:
            return headers
        changes = self.header_table.changes
        try:
            headers = list(super().decode(data, raw=True))
        except OversizedHeaderListError as error:
            raise TooManyHeaders(str(error)) from error
        except (HPACKError, IndexError) as error:
            raise CompressionFault(str(error)) from error
        if changes != self.header_table.changes:
            self._blocks.clear()
        elif _INDEXED.fullmatch(data) and len(data) <= KEPT_BYTES:
            if len(self._blocks) >= KEPT_BLOCKS:
                self._blocks.clear()
            self._blocks[data] = headers
        return headers


@final
class BlockEncoder:
    """Writes blocks without a table, so that the same headers are always the same bytes."""

    header_table_size = 0
    """What the client's table may have for this end's headers, which do not use it."""

    def encode(self, headers: Iterable[Header]) -> bytes:
        """Write a block. Returns its bytes."""
        return b"".join([_written(*header) for header in headers])


_ENCODER = Encoder()


def _written(name: bytes, value: bytes) -> bytes:
    return _name(name) + bytes((len(value),)) + value if len(value) < MULTIBYTE else _literal(name, value)


@lru_cache(maxsize=256)
def _name(name: bytes) -> bytes:
    """What stands before the length of a header's value: of one that is in no table, since those are only a number."""
    return _literal(name, b"-")[:-2]


def _literal(name: bytes, value: bytes) -> bytes:
    return _ENCODER.encode(((name, value, True),), huffman=False)  # True: never put into a table
