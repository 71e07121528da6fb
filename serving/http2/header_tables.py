"""The tables of HTTP/2's header compression (RFC 7541): the static one, and the one that a client fills."""

from __future__ import annotations

from collections import deque
from typing import final

Header = tuple[bytes, bytes]

#: The most bytes that a client's table may take: what a client may use without being told.
TABLE_BYTES = 4096
#: What the table counts for an entry beside its name and value.
ENTRY_BYTES = 32
_STATIC = """
:authority|:method GET|:method POST|:path /|:path /index.html|:scheme http|:scheme https|:status 200|:status 204|
:status 206|:status 304|:status 400|:status 404|:status 500|accept-charset|accept-encoding gzip, deflate|
accept-language|accept-ranges|accept|access-control-allow-origin|age|allow|authorization|cache-control|
content-disposition|content-encoding|content-language|content-length|content-location|content-range|content-type|
cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range|if-unmodified-since|
last-modified|link|location|max-forwards|proxy-authenticate|proxy-authorization|range|referer|refresh|retry-after|
server|set-cookie|strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate
"""


def _static_entry(text: str) -> Header:
    name, _, value = text.partition(" ")
    return name.encode(), value.encode()


STATIC: tuple[Header, ...] = tuple(_static_entry(one) for one in _STATIC.replace("\n", "").split("|"))


@final
class HeaderTable:
    """The entries that both ends know by number: 1 to 61 are the static ones, then those added last come first."""

    def __init__(self) -> None:
        self._added: deque[Header] = deque()
        self._bytes = 0
        self._limit = TABLE_BYTES

    def entry(self, number: int) -> Header | None:
        """The entry of a number; None if there is none."""
        if 0 < number <= len(STATIC):
            return STATIC[number - 1]
        place = number - len(STATIC) - 1
        return self._added[place] if 0 <= place < len(self._added) else None

    def add(self, header: Header) -> None:
        """Add an entry, and drop the oldest for which there is no room; one that is too large empties the table."""
        size = len(header[0]) + len(header[1]) + ENTRY_BYTES
        self._drop_to(self._limit - size)
        if size <= self._limit:
            self._added.appendleft(header)
            self._bytes += size

    def resize(self, limit: int) -> None:
        """Set the most bytes, up to `TABLE_BYTES`."""
        self._limit = limit
        self._drop_to(limit)

    def _drop_to(self, limit: int) -> None:
        while self._added and self._bytes > limit:
            name, value = self._added.pop()
            self._bytes -= len(name) + len(value) + ENTRY_BYTES
