"""Which web pages may reach the server: the Host that a request names, and the origin of the page that sends it.

A page of any site can send requests to a server on the reader's own machine, and a name that its owner points to
127.0.0.1 makes such a server the page's own (DNS rebinding). Programs send no Origin, and name the server by an address
or its own name.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

LOOPBACK = frozenset({"localhost"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginPolicy:
    """Whom requests may name, and which pages may send them."""

    names: frozenset[str] | None = None
    """The names, in lower case, beside IP addresses; None for any."""
    takes_foreign_pages: bool = False
    """Whether pages of any origin may send requests (CORS)."""

    def refusal(self, host: bytes, origin: bytes, fetch_site: bytes) -> str | None:
        """Why a request is refused. Returns a sentence; None for a request that may be answered.

        >>> policy = OriginPolicy(names=frozenset({"localhost"}))
        >>> policy.refusal(b"127.0.0.1:8501", b"", b"") is None
        True
        >>> policy.refusal(b"rebound.example", b"", b"")
        'This server does not answer to the Host rebound.example: see --allowed-host.'

        Args:
            origin: The header Origin; empty if there is none.
            fetch_site: The header Sec-Fetch-Site; empty if there is none.
        """
        if self.names is not None and not self._is_known(host):
            shown = host[:100].decode("ascii", "replace")
            return f"This server does not answer to the Host {shown}: see --allowed-host."
        if self.takes_foreign_pages:
            return None
        is_foreign = bool(origin) and origin.lower().partition(b"://")[2] != host.lower()
        if is_foreign or fetch_site in {b"cross-site", b"same-site"}:
            return "Pages of another origin may not send requests here: see --rest_api_enable_cors_support."
        return None

    def _is_known(self, host: bytes) -> bool:
        name = host_name(host)
        return name in (self.names or ()) or _is_address(name)


def host_name(host: bytes) -> str:
    """The name in a Host header, in lower case, without its port.

    >>> host_name(b"LocalHost:80"), host_name(b"[::1]:80")
    ('localhost', '::1')
    """
    text = host.decode("latin-1").lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0].rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def known_names(listens_on: str, allowed: tuple[str, ...]) -> frozenset[str] | None:
    """The names that a server answers to.

    >>> sorted(known_names("127.0.0.1", ("models.example",)) or ()), known_names("0.0.0.0", ())
    (['localhost', 'models.example'], None)

    Returns:
        On a loopback address localhost and those that are allowed; elsewhere those, or any if none is allowed.
    """
    is_local = listens_on in LOOPBACK or (_is_address(listens_on) and ipaddress.ip_address(listens_on).is_loopback)
    if not is_local and not allowed:
        return None
    local_names = LOOPBACK if is_local else frozenset()
    return local_names | {name.lower().rstrip(".") for name in allowed}
