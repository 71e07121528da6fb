"""Who makes a gRPC call: the address and the certificate of its connection."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from serving.access.identity import MAPPED, Identity, cut_principal
from serving.transport.bounded_cache import bounded_cache

COMMON_NAME = "x509_common_name"


def peer_identity(context: Any) -> Identity:
    """The identity of a call's client, as that of an HTTP client would be.

    Args:
        context: The call's ``grpc.aio.ServicerContext``.

    Returns:
        The name of its certificate, if it was checked; and its address.
    """
    address = address_of(str(context.peer()))
    identities = context.peer_identities()
    if not identities:
        return Identity("", address)
    names = [*context.auth_context().get(COMMON_NAME, ()), *identities]
    return Identity(cut_principal(names[0].decode("utf-8", "replace")), address)


@bounded_cache
def address_of(peer: str) -> str:
    """The address in what gRPC calls a peer.

    >>> address_of("ipv4:10.0.0.7:4711"), address_of("ipv6:%5B::1%5D:4711"), address_of("unix:")
    ('10.0.0.7', '::1', '')

    Returns:
        The address without its port; empty for a Unix socket.
    """
    kind, _, place = unquote(peer).partition(":")
    return place.rpartition(":")[0].strip("[]").removeprefix(MAPPED) if kind in {"ipv4", "ipv6"} else ""
