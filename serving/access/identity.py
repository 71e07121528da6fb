"""Who sends a request: the principal that it has shown to be, and its address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

#: Bound on a principal: certificates may have names of any length.
PRINCIPAL_CHARACTERS = 128
#: An IPv4 address as a socket of IPv6 shows it.
MAPPED = "::ffff:"


class Identity(NamedTuple):
    """Who sends a request; empty text for what is not known. One for each connection."""

    principal: str = ""
    """The name of a token's holder, or of a client certificate."""
    peer: str = ""
    """The address without its port, of a proxy if there is one."""


NOBODY = Identity()


def identity_of(address: str, certificate: Mapping[str, Any] | None) -> Identity:
    """The identity of a connection's client.

    >>> identity_of("::ffff:10.0.0.7", {"subject": ((("commonName", "shop"),),)})
    Identity(principal='shop', peer='10.0.0.7')

    Args:
        certificate: As `ssl.SSLSocket.getpeercert` gives it; None or empty without one that was checked.
    """
    if not certificate:
        return Identity("", address.removeprefix(MAPPED))
    names = [value for part in certificate.get("subject", ()) for name, value in part if name == "commonName"]
    names += [value for _, value in certificate.get("subjectAltName", ())]
    return Identity(cut_principal(names[0]) if names else "", address.removeprefix(MAPPED))


def cut_principal(name: str) -> str:
    """A certificate's name at a length that is logged."""
    return name[:PRINCIPAL_CHARACTERS]
