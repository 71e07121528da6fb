"""Blocks of headers mean what the library hpack takes them for, kept or not."""

from __future__ import annotations

import pytest
from hpack import Decoder, Encoder, HPACKError
from hypothesis import given
from hypothesis import strategies as st

from serving.http2.header_blocks import LIST_BYTES, BlockDecoder, BlockEncoder, CompressionFault, Header, TooManyHeaders

NAMES = st.sampled_from([b":status", b":path", b"content-type", b"grpc-status", b"x-request-id", b"te", b"a" * 200])
VALUES = st.one_of(st.sampled_from([b"", b"200", b"0", b"application/grpc", b"-"]), st.binary(max_size=300))
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=8)


@given(st.lists(HEADERS, max_size=8))
def test_what_is_written_is_read_by_the_library(lists: list[list[Header]]) -> None:
    encoder, decoder = BlockEncoder(), Decoder()
    for headers in lists:
        assert [tuple(header) for header in decoder.decode(encoder.encode(headers), raw=True)] == headers
    assert not decoder.header_table.dynamic_entries


@given(st.lists(st.tuples(HEADERS, st.booleans(), st.sampled_from([None, 0, 100, 4096])), max_size=12))
def test_what_is_read_is_what_the_library_reads(blocks: list[tuple[list[Header], bool, int | None]]) -> None:
    encoder, own, library = Encoder(), BlockDecoder(), Decoder(max_header_list_size=LIST_BYTES)
    for headers, huffman, size in blocks:
        if size is not None:
            encoder.header_table_size = size
        block = encoder.encode(headers, huffman=huffman)
        for _ in range(2):  # the same bytes again, of which some stand for what the first have put into the table
            try:
                expected = library.decode(block, raw=True)
            except HPACKError:  # they stand for what the first have pushed out of the table
                with pytest.raises(CompressionFault):
                    own.decode(block)
                return
            assert own.decode(block) == expected


@given(st.binary(max_size=60))
def test_other_bytes_are_read_or_refused_as_by_the_library(block: bytes) -> None:
    library, own = Decoder(max_header_list_size=LIST_BYTES), BlockDecoder()
    try:
        expected = library.decode(block, raw=True)
    except Exception:  # noqa: BLE001 - whatever the library raises, here it is one error
        with pytest.raises(CompressionFault):
            own.decode(block)
    else:
        assert own.decode(block) == expected


def test_blocks_that_are_too_large_are_refused() -> None:
    with pytest.raises(TooManyHeaders):
        BlockDecoder().decode(bytes(LIST_BYTES + 1))
    bomb = Encoder().encode([(b"a", b"b" * 4000)] * 5)
    with pytest.raises(TooManyHeaders):
        BlockDecoder().decode(bomb)


def test_a_table_that_shrinks_and_grows_in_one_block_forgets_its_entries() -> None:
    decoder = BlockDecoder()
    assert decoder.decode(b"\x40\x01a\x01b") == [(b"a", b"b")]
    assert decoder.decode(b"\xbe") == [(b"a", b"b")]
    assert decoder.decode(b"\x20\x3f\xe1\x1f") == []
    with pytest.raises(CompressionFault):
        decoder.decode(b"\xbe")
