"""What one connection may do."""

from __future__ import annotations

from dataclasses import dataclass

#: What clients and servers call HTTP/2 when they agree on a protocol in the handshake of TLS (RFC 7301, RFC 9113).
ALPN = "h2"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSettings:
    """What one connection may do."""

    message_bytes: int = 64 << 20
    """Larger messages, as sent or as inflated, are refused with RESOURCE_EXHAUSTED; TensorFlow Serving takes 2 GiB."""
    streams: int = 1024
    """The most calls at a time; beyond it the client's library waits."""
    idle_s: float = 1800.0
    """Seconds without a call after which it is closed; clients open another with their next call."""
    stall_s: float = 30.0
    """Seconds for its first frames, for the message of a call, and in which answers must move at ``bytes_per_s``."""
    bytes_per_s: float = 4096.0
    """The slowest rate at which a client may read its answers."""
    inflation: int = 32
    """The most bytes that one byte of a compressed message may become, beyond the first 64 KiB. 0: any."""
    keepalive_s: float | None = None
    """Seconds without a byte from the client after which it is sent a ping; None for no pings."""
    keepalive_timeout_s: float = 20.0
    """Seconds in which it must answer the ping."""
    age_s: float | None = None
    """Seconds after which the client is asked to open another connection; None for never."""
    age_grace_s: float | None = None
    """Seconds that its calls have from then on; None for as long as they take."""
