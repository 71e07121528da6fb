"""A request, read off the wire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

Headers = Sequence[tuple[bytes, bytes]]


class HttpRequest(NamedTuple):
    """One whole request.

    A named tuple, because it is made for every request, at a third of a frozen dataclass's cost.
    """

    method: str
    target: str
    """Path and query as they were sent, each byte one character."""
    headers: Headers
    """Names in lower case."""
    body: bytes

    def header(self, name: bytes) -> bytes:
        """The first header of that name; empty if there is none.

        >>> HttpRequest("GET", "/", [(b"origin", b"http://a")], b"").header(b"origin")
        b'http://a'
        """
        return next((value for found, value in self.headers if found == name), b"")
