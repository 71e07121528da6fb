"""Reads blocks of compressed headers (RFC 7541), within limits of their size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar, final

from serving.http2.header_tables import ENTRY_BYTES, TABLE_BYTES, Header, HeaderTable
from serving.http2.huffman import HuffmanError, decode_huffman

if TYPE_CHECKING:
    from collections.abc import Callable

MeaningT = TypeVar("MeaningT")

#: The most bytes of the headers of one call, each counted with `ENTRY_BYTES`: a byte on the wire can stand for 4 KB.
LIST_BYTES = 16384
#: An integer's last bit: larger ones mean nothing here.
MAX_SHIFT = 28
#: Blocks that were read lately, by their bytes. Larger ones are not kept.
KNOWN_BLOCKS, KNOWN_BYTES = 64, 512


class HeaderError(ValueError):
    """A block that cannot be read. The connection must end, as its table is not that of the client any more."""


@final
class HeaderDecoder(Generic[MeaningT]):
    """Reads the blocks of one connection, in the order of their arrival.

    A client that repeats a call sends the same few bytes again, and as long as its table stays as it is they mean the
    same: such a block costs a look-up.

    Args:
        meaning: What headers mean to the caller; called once for a block that is repeated.
    """

    def __init__(self, meaning: Callable[[tuple[Header, ...]], MeaningT]) -> None:
        self._meaning = meaning
        self._table = HeaderTable()
        self._known: dict[bytes, MeaningT] = {}

    def decode(self, block: bytes) -> MeaningT:
        """Read a block.

        Returns:
            What its headers mean.

        Raises:
            HeaderError: The block is invalid or too large.
        """
        known = self._known.get(block)
        if known is not None:
            return known
        reader = _BlockReader(block, self._table)
        try:
            found = self._meaning(reader.read())
        except HuffmanError as error:
            raise HeaderError(str(error)) from error
        if reader.has_changed_table or len(self._known) >= KNOWN_BLOCKS:
            self._known.clear()
        if not reader.has_changed_table and len(block) <= KNOWN_BYTES:
            self._known[block] = found
        return found


@final
class _BlockReader:
    def __init__(self, block: bytes, table: HeaderTable) -> None:
        self._block = block
        self._table = table
        self._place = 0
        self.has_changed_table = False

    def read(self) -> tuple[Header, ...]:
        headers: list[Header] = []
        left = LIST_BYTES
        while self._place < len(self._block):
            first = self._block[self._place]
            if first & 0xE0 == 0x20:  # a new size of the table
                self._resize(is_first=not headers)
                continue
            if first & 0x80:
                header = self._entry(self._integer(7))
            elif first & 0x40:
                header = self._literal(6)
                self._table.add(header)
                self.has_changed_table = True
            else:
                header = self._literal(4)
            left -= len(header[0]) + len(header[1]) + ENTRY_BYTES
            if left < 0:
                raise HeaderError(f"headers of more than {LIST_BYTES} bytes")
            headers.append(header)
        return tuple(headers)

    def _resize(self, *, is_first: bool) -> None:
        size = self._integer(5)
        if size > TABLE_BYTES or not is_first:
            raise HeaderError("a size of the table that is too large or at the wrong place")
        self._table.resize(size)
        self.has_changed_table = True

    def _entry(self, number: int) -> Header:
        header = self._table.entry(number)
        if header is None:
            raise HeaderError(f"header {number}, which is in no table")
        return header

    def _literal(self, bits: int) -> Header:
        number = self._integer(bits)
        name = self._entry(number)[0] if number else self._string()
        return name, self._string()

    def _string(self) -> bytes:
        if self._place >= len(self._block):
            raise HeaderError("a block that ends within a header")
        is_coded = self._block[self._place] & 0x80
        size = self._integer(7)
        begin, self._place = self._place, self._place + size
        if self._place > len(self._block):
            raise HeaderError("a block that ends within a string")
        text = self._block[begin : self._place]
        return decode_huffman(text) if is_coded else text

    def _integer(self, bits: int) -> int:
        largest = (1 << bits) - 1
        number = self._block[self._place] & largest
        self._place += 1
        if number < largest:
            return number
        for shift in range(0, MAX_SHIFT, 7):
            if self._place >= len(self._block):
                break
            byte = self._block[self._place]
            self._place += 1
            number += (byte & 0x7F) << shift
            if not byte & 0x80:
                return number
        raise HeaderError("a number that does not end or is too large")
