"""Bodies of requests: bounded, and inflated if they are compressed."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serving.transport.http_request import HttpRequest

BODY_BYTES = 64 << 20
# zlib's codes for the two formats.
GZIP_BITS, ZLIB_BITS = 31, 15


class BodyTooLarge(Exception):
    """A body is larger than the server's limit. TensorFlow Serving has no such limit."""


def read_body(request: HttpRequest, limit: int, *, zlib_too: bool = False) -> bytes:
    """Read the body of a request.

    Args:
        request: The request.
        limit: The most bytes of an inflated body.
        zlib_too: Whether ``deflate`` is inflated, too, which TensorFlow Serving does not do.

    Returns:
        The body, inflated if it is gzip; empty if it cannot be inflated, as in TensorFlow Serving.

    Raises:
        BodyTooLarge: It inflates beyond ``limit`` bytes.
    """
    for name, value in request.headers:
        if name == b"content-encoding":
            if b"gzip" in value.lower():
                return inflate(request.body, limit)
            if zlib_too and b"deflate" in value.lower():
                return inflate(request.body, limit, ZLIB_BITS)
    return request.body


def inflate(body: bytes, limit: int, bits: int = GZIP_BITS) -> bytes:
    """Inflate a gzip body; a damaged or incomplete one is empty. At most ``limit`` bytes are held.

    >>> import gzip
    >>> inflate(gzip.compress(b"{}"), 100), inflate(b"{}", 100)
    (b'{}', b'')

    Returns:
        The content.

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
