"""What the headers of a call say: its method, deadline and metadata."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from serving.http2.header_tables import Header

#: Headers that are the protocol's, not the caller's.
PROTOCOL_HEADERS = frozenset({b"te", b"content-type", b"grpc-timeout", b"grpc-encoding", b"grpc-accept-encoding"})
UNITS = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
TIMEOUT_DIGITS = 8
NOT_GRPC = "415"
Metadata = tuple[tuple[str, str | bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallHead:
    """The headers of a call, read."""

    path: str = ""
    """``/SERVICE/METHOD``."""
    metadata: Metadata = ()
    """What the caller adds; values of names that end in ``-bin`` are bytes."""
    timeout_s: float | None = None
    is_compressed: bool = False
    """Whether the client announces compressed messages."""
    fault: str = ""
    """Why this is no call of gRPC's."""
    handler: Any = None
    """What handles the method; None if there is none."""


def read_head(headers: tuple[Header, ...]) -> CallHead:
    """Read the headers of a call.

    >>> read_head(((b":method", b"POST"), (b":path", b"/a.B/C"), (b"content-type", b"application/grpc"))).path
    '/a.B/C'

    Args:
        headers: Names and values.

    Returns:
        What they say, without a handler.
    """
    known: dict[bytes, bytes] = {}
    metadata: list[tuple[str, str | bytes]] = []
    for name, value in headers:
        if name.startswith(b":") or name in PROTOCOL_HEADERS:
            if metadata and name.startswith(b":"):
                return CallHead(fault="A pseudo-header comes after others.")
            known[name] = value
        elif name != name.lower() or not name:
            return CallHead(fault="A header's name has capitals.")
        else:
            metadata.append((name.decode("latin-1"), _value(name, value)))
    if known.get(b":method") != b"POST" or not known.get(b"content-type", b"").startswith(b"application/grpc"):
        return CallHead(fault="Only calls of gRPC are answered here: POST with content-type application/grpc.")
    try:
        timeout_s = read_timeout(known[b"grpc-timeout"].decode("latin-1")) if b"grpc-timeout" in known else None
    except ValueError as error:
        return CallHead(fault=str(error))
    return CallHead(
        path=known.get(b":path", b"").decode("latin-1"),
        metadata=tuple(metadata),
        timeout_s=timeout_s,
        is_compressed=known.get(b"grpc-encoding", b"identity") != b"identity",
    )


def read_timeout(text: str) -> float:
    """Read a time as gRPC writes it: up to eight digits and a unit.

    >>> read_timeout("250m"), read_timeout("10S")
    (0.25, 10.0)

    Returns:
        Seconds.

    Raises:
        ValueError: The text is no such time.
    """
    digits, unit = text[:-1], text[-1:]
    if not (digits.isascii() and digits.isdigit() and len(digits) <= TIMEOUT_DIGITS and unit in UNITS):
        raise ValueError("grpc-timeout is no number of up to eight digits with a unit.")
    return int(digits) * UNITS[unit]


def _value(name: bytes, value: bytes) -> str | bytes:
    if not name.endswith(b"-bin"):
        return value.decode("latin-1")
    try:
        return base64.b64decode(value + b"=" * (-len(value) % 4))
    except binascii.Error:
        return b""
