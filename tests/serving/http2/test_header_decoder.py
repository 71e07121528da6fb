"""Blocks of compressed headers: the examples of RFC 7541, and blocks that are refused."""

from __future__ import annotations

import pytest

from serving.http2.frames import literal
from serving.http2.header_decoder import LIST_BYTES, HeaderDecoder, HeaderError
from serving.http2.header_tables import Header

FIRST = [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/"), (b":authority", b"www.example.com")]
SECURE = [(b":method", b"GET"), (b":scheme", b"https"), (b":path", b"/index.html"), (b":authority", b"www.example.com")]
PLAIN = ("828684410f7777772e6578616d706c652e636f6d", "828684be58086e6f2d6361636865",
         "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565")  # fmt: skip
CODED = ("828684418cf1e3c2e5f23a6ba0ab90f4ff", "828684be5886a8eb10649cbf",
         "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf")  # fmt: skip


def decoder() -> HeaderDecoder[list[Header]]:
    return HeaderDecoder(list)


@pytest.mark.parametrize("blocks", [PLAIN, CODED])
def test_the_requests_of_the_standard_are_read(blocks: tuple[str, str, str]) -> None:
    reading = decoder()
    assert [reading.decode(bytes.fromhex(block)) for block in blocks] == [
        FIRST,
        [*FIRST, (b"cache-control", b"no-cache")],
        [*SECURE, (b"custom-key", b"custom-value")],
    ]


def test_a_repeated_block_is_read_once_as_long_as_the_table_stays() -> None:
    reading = decoder()
    reading.decode(bytes.fromhex(PLAIN[0]))
    first = reading.decode(b"\x82\xbe")
    assert first == [(b":method", b"GET"), (b":authority", b"www.example.com")]
    assert reading.decode(b"\x82\xbe") is first
    reading.decode(b"\x40" + literal(b"a", b"b")[1:])
    assert reading.decode(b"\x82\xbe") == [(b":method", b"GET"), (b"a", b"b")]


@pytest.mark.parametrize(
    "block",
    [
        b"\x80",  # entry 0
        b"\xbe",  # an entry that is not there
        b"\x40",  # ends within a header
        b"\x00\x05ab",  # ends within a string
        b"\x00\x01a\x7f\xff\xff\xff\xff\x0f",  # a number that is too large
        b"\xff\xff",  # a number that does not end
        b"\x3f\xe2\x1f",  # a table of 4097 bytes
        b"\x82\x20",  # a new size after a header
        b"\x00\x81\xff\x00",  # no Huffman code
    ],
)
def test_invalid_blocks_are_refused(block: bytes) -> None:
    with pytest.raises(HeaderError):
        decoder().decode(block)


def test_few_bytes_do_not_become_many() -> None:
    bomb = b"\x40" + literal(b"a", b"b" * 3000)[1:] + b"\xbe" * 1000
    with pytest.raises(HeaderError, match=f"more than {LIST_BYTES}"):
        decoder().decode(bomb)
