"""The address of a connection's client."""

from __future__ import annotations

from typing import Any


def peer_of(address: Any) -> str:
    """A socket's address as gRPC writes it.

    >>> peer_of(("10.0.0.7", 4711)), peer_of(("::1", 4711, 0, 0)), peer_of("")
    ('ipv4:10.0.0.7:4711', 'ipv6:%5B::1%5D:4711', 'unix:')

    Returns:
        The text; of a Unix socket without a name.
    """
    if not isinstance(address, tuple):
        return "unix:"
    host, port = address[:2]
    return f"ipv6:%5B{host}%5D:{port}" if ":" in host else f"ipv4:{host}:{port}"
