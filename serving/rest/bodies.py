"""A request's body: bounded, and inflated if it came as gzip."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serving.rest.requests import Request

BODY_BYTES = 64 << 20
GZIP_BITS = 31  # zlib's code for a gzip header and trailer


class BodyTooLarge(Exception):
    """More bytes than the server is willing to hold. TensorFlow Serving has no such limit."""


def read_body(request: Request, limit: int) -> bytes:
    """The body, inflated if it came as gzip; as in TensorFlow Serving, one that cannot be inflated counts as empty.

    Raises:
        BodyTooLarge: it inflates beyond ``limit`` bytes.
    """
    for name, value in request.headers:
        if name == b"content-encoding" and b"gzip" in value.lower():
            return inflate(request.body, limit)
    return request.body


def inflate(body: bytes, limit: int) -> bytes:
    """The content of a gzip body; empty if it is damaged or cut short.

    >>> import gzip
    >>> inflate(gzip.compress(b"{}"), 100), inflate(b"{}", 100)
    (b'{}', b'')

    Raises:
        BodyTooLarge: if it inflates beyond ``limit`` bytes. No more than that is ever held.
    """
    inflater = zlib.decompressobj(wbits=GZIP_BITS)
    try:
        content = inflater.decompress(body, limit)
    except zlib.error:
        return b""
    if inflater.eof:
        return content
    if len(content) >= limit:
        raise BodyTooLarge
    return b""
