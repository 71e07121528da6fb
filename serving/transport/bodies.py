"""A request's body: bounded, and inflated if it came as gzip."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serving.transport.http_request import HttpRequest

BODY_BYTES = 64 << 20
# zlib's codes for the header and trailer of each.
GZIP_BITS, ZLIB_BITS = 31, 15


class BodyTooLarge(Exception):
    """More bytes than the server is willing to hold. TensorFlow Serving has no such limit."""


def read_body(request: HttpRequest, limit: int, *, zlib_too: bool = False) -> bytes:
    """The body, inflated if it came as gzip; as in TensorFlow Serving, one that cannot be inflated counts as empty.

    ``zlib_too`` also inflates ``deflate``, which TensorFlow Serving does not know.

    Raises:
        BodyTooLarge: it inflates beyond ``limit`` bytes.
    """
    for name, value in request.headers:
        if name == b"content-encoding":
            if b"gzip" in value.lower():
                return inflate(request.body, limit)
            if zlib_too and b"deflate" in value.lower():
                return inflate(request.body, limit, ZLIB_BITS)
    return request.body


def inflate(body: bytes, limit: int, bits: int = GZIP_BITS) -> bytes:
    """The content of a gzip body; empty if it is damaged or cut short.

    >>> import gzip
    >>> inflate(gzip.compress(b"{}"), 100), inflate(b"{}", 100)
    (b'{}', b'')

    Raises:
        BodyTooLarge: if it inflates beyond ``limit`` bytes. No more than that is ever held.
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
