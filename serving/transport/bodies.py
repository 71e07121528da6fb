"""Bodies of requests: bounded, and inflated if they are compressed."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from serving.transport.http_request import HttpRequest

BODY_BYTES = 64 << 20
# zlib's codes for the two formats.
GZIP_BITS, ZLIB_BITS = 31, 15
#: A compressed body may always inflate to so many bytes, and hold so many values.
FREE_BYTES, FREE_VALUES = 2 << 20, 1 << 20
#: An object costs as much as so many numbers.
OBJECT_VALUES = 3
#: Bytes that a parsed body takes for each comma (a number and its place in a list), list, object and quotation mark.
COMMA_BYTES, LIST_BYTES, OBJECT_BYTES, QUOTE_BYTES = 32, 56, 160, 24
PIECE_BYTES = 1 << 20
TOO_DENSE = "The compressed body holds more than its size allows: send it uncompressed, or see --max-inflation."


class BodyTooLarge(Exception):
    """A body is larger than the server's limit. TensorFlow Serving has no such limit. The message may say why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyLimits:
    """What a body may become: it costs what it is after inflating, not what was sent."""

    size: int = BODY_BYTES
    """The most bytes, as sent and as inflated."""
    inflation: int = 32
    """The most inflated bytes for each compressed one; for each 64 of them, one value. 0: any."""


def read_body(request: HttpRequest, limits: BodyLimits, *, zlib_too: bool = False) -> bytes:
    """Read the body of a request.

    Args:
        zlib_too: Whether ``deflate`` is inflated, too, which TensorFlow Serving does not do.

    Returns:
        The body, inflated if it is gzip; empty if it cannot be inflated, as in TensorFlow Serving.

    Raises:
        BodyTooLarge: It inflates beyond the limits, or holds more values than its compressed size allows.
    """
    coding = request.header(b"content-encoding").lower()
    if b"gzip" in coding:
        return inflate_within(request.body, limits)
    if zlib_too and b"deflate" in coding:
        return inflate_within(request.body, limits, ZLIB_BITS)
    return request.body


def parsed_bytes(body: bytes) -> int:
    """About how many bytes JSON takes once it is parsed: up to twenty times its own.

    >>> parsed_bytes(b'{"instances": [1.5, 2.5, 3.5]}')
    358

    Returns:
        Bytes of memory. Cost: 1 ms for 4 MiB.
    """
    quotes = _count(body, b'"')
    return (
        COMMA_BYTES * _count(body, b",")
        + LIST_BYTES * _count(body, b"[")
        + OBJECT_BYTES * _count(body, b"{")
        + (QUOTE_BYTES * quotes + len(body) if quotes else 0)
    )


def _count(body: bytes, mark: bytes) -> int:
    """How often a byte is there. In pieces: each keeps the interpreter from other threads."""
    return sum(body.count(mark, begin, begin + PIECE_BYTES) for begin in range(0, len(body), PIECE_BYTES))


def inflate_within(body: bytes, limits: BodyLimits, bits: int = GZIP_BITS) -> bytes:
    """Inflate a body within the limits of its size, and of its size and values in relation to the compressed size.

    >>> import gzip
    >>> len(inflate_within(gzip.compress(bytes(60_000)), BodyLimits()))
    60000

    Returns:
        The content; empty if it cannot be inflated.

    Raises:
        BodyTooLarge: It is beyond a limit.
    """
    if not limits.inflation:
        return inflate(body, limits.size, bits)
    most = max(FREE_BYTES, limits.inflation * len(body))
    try:
        content = inflate(body, min(limits.size, most), bits)
    except BodyTooLarge:
        if most >= limits.size:
            raise
        raise BodyTooLarge(TOO_DENSE) from None
    values = _count(content, b",") + OBJECT_VALUES * _count(content, b"{")
    if values > max(FREE_VALUES, limits.inflation * len(body) // 64):
        raise BodyTooLarge(TOO_DENSE)
    return content


def inflate(body: bytes, limit: int, bits: int = GZIP_BITS) -> bytes:
    """Inflate a gzip body; a damaged or incomplete one is empty. At most ``limit`` bytes are held.

    >>> import gzip
    >>> inflate(gzip.compress(b"{}"), 100), inflate(b"{}", 100)
    (b'{}', b'')

    Raises:
        BodyTooLarge: It inflates beyond ``limit`` bytes.
    """
    inflater = zlib.decompressobj(wbits=bits)
    try:
        content = inflater.decompress(body, limit)
    except zlib.error:
        return b""
    if inflater.eof:
        return content
    if len(content) >= limit:
        raise BodyTooLarge
    return b""
