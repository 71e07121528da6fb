"""Where a request comes from: the headers that say so, and the refusal of one that may not be answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serving.transport.http_response import HttpResponse, write_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serving.access.origins import OriginPolicy

#: Headers that name the server, or the page that sends the request; and the framing, which HTTP/1.0 does not have.
SOURCE_HEADERS = frozenset({b"host", b"origin", b"sec-fetch-site", b"transfer-encoding"})
CLOSE = ((b"connection", b"close"),)
NOT_HTTP = HttpResponse(400, b"Invalid HTTP request received.", b"text/plain; charset=utf-8", CLOSE)


def source_refusal(headers: Sequence[tuple[bytes, bytes]], version: str, origins: OriginPolicy) -> HttpResponse | None:
    """Refuse a request that names no Host or several, another server's, or that a page of another origin sends.

    Args:
        headers: Those of `SOURCE_HEADERS`.

    Returns:
        The response; None if the request may be answered.
    """
    named = dict(headers)
    hosts = [value for name, value in headers if name == b"host"]
    is_old = version != "1.1"
    if len(hosts) > 1 or not (hosts or is_old) or (is_old and b"transfer-encoding" in named):
        return NOT_HTTP
    host = hosts[0] if hosts else b"localhost"  # programs that speak HTTP/1.0; browsers do not
    why = origins.refusal(host, named.get(b"origin", b""), named.get(b"sec-fetch-site", b""))
    return None if why is None else HttpResponse(403, write_error(why), headers=CLOSE)
