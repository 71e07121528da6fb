"""Options and limits of the HTTP interface."""

from __future__ import annotations

from dataclasses import dataclass, field

from serving.access.origins import OriginPolicy
from serving.transport.bodies import BODY_BYTES, BodyLimits
from serving.transport.freed_memory import trimmer
from serving.transport.limits import (
    HELD_BYTES,
    MAX_CLIENT_REQUESTS,
    ConnectionLimiter,
    ConnectionTimeouts,
    default_max_connections,
)

CORS = (
    b"access-control-allow-origin: *\r\n"
    b"access-control-allow-methods: POST, GET\r\n"
    b"access-control-allow-headers: Content-Type\r\n"
)
METRICS_PATH = "/monitoring/prometheus/metrics"  # TensorFlow Serving's default


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """Options and limits of the HTTP interface."""

    body_bytes: int = BODY_BYTES
    """Larger bodies are refused with 413; TensorFlow Serving takes any."""
    inflation: int = 32
    """The most inflated bytes for each byte of a compressed body; 0: any."""
    held_bytes: int = HELD_BYTES
    """The most bytes of all bodies that are read or answered at a time, and of all runs; beyond it 503."""
    connections: int | None = None
    """The most connections; beyond it idle ones are closed, or, without any, the new one. None:
    `default_max_connections`."""
    client_requests: int = MAX_CLIENT_REQUESTS
    """The most requests of one address that are answered at a time; beyond it 429."""
    timeouts: ConnectionTimeouts = field(default_factory=ConnectionTimeouts)
    hosts: frozenset[str] | None = None
    """The names, beside IP addresses, that requests may give as their Host, in lower case; None for any."""
    cors: bool = False
    """Whether responses allow requests from pages of any origin."""
    metrics_path: str | None = METRICS_PATH
    """Path of the Prometheus page; None for no page."""

    def limiter(self) -> ConnectionLimiter:
        """Make what admits connections and counts bytes."""
        return ConnectionLimiter(
            max_connections=self.connections or default_max_connections(),
            max_held_bytes=self.held_bytes,
            max_client_requests=self.client_requests,
            give_back=trimmer(),
        )

    @property
    def cors_headers(self) -> bytes:
        """Header lines of every response."""
        return CORS if self.cors else b""

    @property
    def origins(self) -> OriginPolicy:
        """Whom requests may name as their Host, and which web pages may send them."""
        return OriginPolicy(names=self.hosts, takes_foreign_pages=self.cors)

    @property
    def bodies(self) -> BodyLimits:
        """What a body may become."""
        return BodyLimits(size=self.body_bytes, inflation=self.inflation)
