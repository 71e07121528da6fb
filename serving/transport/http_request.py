"""An HTTP request."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from serving.access.identity import NOBODY, Identity
from serving.transport.bounded_cache import bounded_cache

Headers = Sequence[tuple[bytes, bytes]]
"""Names in lower case, and values."""
WHOLE_URL = re.compile(r"https?://[^/?]*", re.IGNORECASE)


class HttpRequest(NamedTuple):
    """One whole request.

    A named tuple: one is made for every request, at a third of a frozen dataclass's cost.
    """

    method: str
    target: str
    """Path and query as they were sent, each byte one character."""
    headers: Headers
    """Names in lower case."""
    body: bytes
    identity: Identity = NOBODY
    """Who sends it, as far as its connection tells."""

    def header(self, name: bytes) -> bytes:
        """Find a header.

        >>> HttpRequest("GET", "/", [(b"origin", b"http://a")], b"").header(b"origin")
        b'http://a'

        Returns:
            The value of the first header of that name; empty if there is none.
        """
        for found, value in self.headers:  # a generator would cost twice as much, and every request pays
            if found == name:
                return value
        return b""


@bounded_cache
def target_of(url: bytes) -> str:
    """Parse a request line's target, which may be a whole URL.

    >>> target_of(b"/v1/models/m?a=1#top"), target_of(b"http://host:80/v1"), target_of(b"*")
    ('/v1/models/m?a=1', '/v1', '*')
    """
    target = url.decode("latin-1").partition("#")[0]
    whole = WHOLE_URL.match(target)
    return target if whole is None else target[whole.end() :] or "/"
