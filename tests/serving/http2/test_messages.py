"""Messages are cut out of a call's bytes in whatever pieces they come, and inflated within limits."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.http2.messages import FREE_BYTES, PREFIX, MessageReader, inflate, prefixed
from serving.status import Code, Failure


def reader(encoding: str = "identity", *, max_bytes: int = 1 << 20, inflation: int = 32) -> MessageReader:
    return MessageReader(encoding, max_bytes=max_bytes, inflation=inflation)


@given(st.lists(st.binary(max_size=50), max_size=6), st.data())
def test_messages_are_read_in_any_pieces(messages: list[bytes], data: st.DataObject) -> None:
    rest, own, read = b"".join(map(prefixed, messages)), reader(), list[bytes]()
    while rest:
        size = data.draw(st.integers(1, 20))
        read += own.feed(rest[:size])
        rest = rest[size:]
    assert read == messages
    assert not own.is_within_message


def test_the_beginning_of_a_message_waits_for_its_rest() -> None:
    own = reader()
    assert not own.feed(prefixed(b"hello")[:7])
    assert own.is_within_message


def test_a_message_that_is_too_large_is_refused_by_its_prefix() -> None:
    with pytest.raises(Failure) as caught:
        reader(max_bytes=100).feed(PREFIX.pack(False, 101))
    assert caught.value.code is Code.RESOURCE_EXHAUSTED
    assert caught.value.message == "Received message larger than max (101 vs. 100)"


@pytest.mark.parametrize(("encoding", "squeeze"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_compressed_messages_are_inflated(encoding: str, squeeze: type) -> None:
    own = reader(encoding)
    body = squeeze(b"hello")
    assert own.feed(PREFIX.pack(True, len(body)) + body + prefixed(b"plain")) == [b"hello", b"plain"]


def test_a_compressed_message_needs_its_encoding() -> None:
    with pytest.raises(Failure) as caught:
        reader().feed(PREFIX.pack(True, 1) + b"x")
    assert caught.value.code is Code.INTERNAL


@pytest.mark.parametrize(
    ("message", "settings", "code"),
    [
        (gzip.compress(bytes(FREE_BYTES)), {}, None),
        (gzip.compress(bytes(FREE_BYTES + 1)), {}, Code.RESOURCE_EXHAUSTED),
        (gzip.compress(bytes(FREE_BYTES + 1)), {"inflation": 0}, None),
        (gzip.compress(bytes(2000)), {"max_bytes": 1000}, Code.RESOURCE_EXHAUSTED),
        (b"no gzip", {}, Code.INTERNAL),
        (gzip.compress(b"hello")[:-4], {}, Code.INTERNAL),
        (b"", {}, Code.INTERNAL),
    ],
    ids=["free", "too dense", "any density", "too large", "not compressed", "cut off", "nothing"],
)
def test_inflation_is_bounded(message: bytes, settings: dict[str, int], code: Code | None) -> None:
    limits = {"max_bytes": 4 << 20, "inflation": 32} | settings
    if code is None:
        assert set(inflate(message, 31, **limits)) == {0}
        return
    with pytest.raises(Failure) as caught:
        inflate(message, 31, **limits)
    assert caught.value.code is code
