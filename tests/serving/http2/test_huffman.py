"""The Huffman code of header compression, with the examples of RFC 7541."""

from __future__ import annotations

import pytest

from serving.http2.huffman import HuffmanError, decode_huffman


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("", b""),
        ("a8eb10649cbf", b"no-cache"),
        ("25a849e95ba97d7f", b"custom-key"),
        ("d07abe941054d444a8200595040b8166e082a62d1bff", b"Mon, 21 Oct 2013 20:13:21 GMT"),
    ],
)
def test_the_examples_are_read(code: str, text: bytes) -> None:
    assert decode_huffman(bytes.fromhex(code)) == text


@pytest.mark.parametrize(
    "code",
    [
        "ffffffff",  # the end's code
        "a8eb10649cbfff",  # filling of a whole byte
        "a8eb10649cbe",  # filling that is not of ones
        "fe",  # half of a code
    ],
)
def test_other_bytes_are_refused(code: str) -> None:
    with pytest.raises(HuffmanError):
        decode_huffman(bytes.fromhex(code))
