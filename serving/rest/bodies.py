"""A request's body off the wire: bounded, and inflated if it came as gzip."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, MutableMapping

    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

BODY_BYTES = 64 << 20
GZIP_BITS = 31  # zlib's code for a gzip header and trailer


class BodyTooLarge(Exception):
    """More bytes than the server is willing to hold. TensorFlow Serving has no such limit."""


async def read_body(receive: Receive, headers: Iterable[tuple[bytes, bytes]], limit: int) -> bytes:
    """The whole body; as in TensorFlow Serving, one that cannot be inflated counts as empty.

    Raises:
        BodyTooLarge: beyond ``limit`` bytes, as sent or as inflated.
    """
    is_gzip = False
    for name, value in headers:
        if name == b"content-length" and value.isdigit() and int(value) > limit:
            raise BodyTooLarge
        is_gzip = is_gzip or (name == b"content-encoding" and b"gzip" in value.lower())
    message = await receive()
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        chunks, size = [body], len(body)
        while message.get("more_body"):
            message = await receive()
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > limit:
                raise BodyTooLarge
        body = b"".join(chunks)
    return inflate(body, limit) if is_gzip else body


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
