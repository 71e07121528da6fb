"""gRPC's messages in the bytes of a call: each with a prefix of its length, inflated if it is compressed."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import final

from serving.status import Code, Failure

#: Before each message: whether it is compressed, and its length.
PREFIX = struct.Struct(">?I")
#: zlib's codes of the encodings that gRPC names.
ENCODINGS = {"gzip": 31, "deflate": 15}
ACCEPTED = b"identity,deflate,gzip"
#: A compressed message may always inflate to so many bytes.
FREE_BYTES = 2 << 20


def prefixed(message: bytes) -> bytes:
    r"""Write a message with its prefix. Returns the bytes of a call.

    >>> prefixed(b"hello")
    b'\x00\x00\x00\x00\x05hello'
    """
    return PREFIX.pack(False, len(message)) + message  # noqa: FBT003 - of the prefix's format


@final
class MessageReader:
    r"""Cuts the messages out of the bytes of one call, in whatever pieces these come.

    >>> reader = MessageReader("identity", max_bytes=100, inflation=32)
    >>> reader.feed(prefixed(b"one") + b"\0\0\0"), reader.feed(b"\0\3two")
    ([b'one'], [b'two'])

    Args:
        encoding: What ``grpc-encoding`` says.
        max_bytes: The most bytes of a message, as sent and as inflated.
    """

    __slots__ = ("_chunks", "_encoding", "_inflation", "_max_bytes", "_missing")

    def __init__(self, encoding: str, *, max_bytes: int, inflation: int) -> None:
        self._encoding = encoding
        self._max_bytes = max_bytes
        self._inflation = inflation
        self._chunks: list[bytes] = []
        self._missing = 0

    @property
    def is_within_message(self) -> bool:
        """Whether a part of a message has come, and not the rest."""
        return bool(self._chunks)

    def feed(self, data: bytes) -> Sequence[bytes]:
        """Take bytes.

        Raises:
            Failure: A message is too large, or cannot be inflated.
        """
        if self._chunks:
            self._chunks.append(data)
            self._missing -= len(data)
            if self._missing > 0:
                return ()
            data, self._chunks = b"".join(self._chunks), []
        messages: list[bytes] = []
        begin, end = 0, len(data)
        while begin < end:
            text = begin + PREFIX.size
            self._missing = text - end
            if text > end:
                break
            is_compressed, size = PREFIX.unpack_from(data, begin)
            if size > self._max_bytes:
                raise Failure(
                    Code.RESOURCE_EXHAUSTED, f"Received message larger than max ({size} vs. {self._max_bytes})"
                )
            self._missing += size
            if self._missing > 0:
                break
            message = data[text : text + size]
            messages.append(self._inflated(message) if is_compressed else message)
            begin = text + size
        if begin < end:
            self._chunks.append(data[begin:] if begin else data)
        return messages

    def _inflated(self, message: bytes) -> bytes:
        bits = ENCODINGS.get(self._encoding)
        if bits is None:
            raise Failure(Code.INTERNAL, f"A message is compressed, and grpc-encoding is {self._encoding!r:.40}.")
        return inflate(message, bits, max_bytes=self._max_bytes, inflation=self._inflation)


def inflate(message: bytes, bits: int, *, max_bytes: int, inflation: int) -> bytes:
    """Inflate a message within the limits of its size, and of its size in relation to what was sent.

    Args:
        max_bytes: The most bytes; no more are ever held.
    """
    most = min(max_bytes, max(FREE_BYTES, inflation * len(message))) if inflation else max_bytes
    inflater = zlib.decompressobj(wbits=bits)
    try:
        content = inflater.decompress(message, most + 1)
    except zlib.error as error:
        raise Failure(Code.INTERNAL, f"The compressed message cannot be read: {error}") from error
    if len(content) > most:
        why = "larger than the server takes" if most == max_bytes else "of more bytes than its compressed size allows"
        raise Failure(
            Code.RESOURCE_EXHAUSTED,
            f"The compressed message is {why} ({most}): send it uncompressed, or see --max-inflation "
            "and --max-request-bytes.",
        )
    if not inflater.eof:
        raise Failure(Code.INTERNAL, "The compressed message is cut off.")
    return content
