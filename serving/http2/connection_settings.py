"""What one connection may do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSettings:
    """What one connection may do."""

    message_bytes: int
    """The most bytes of a message."""
    streams: int
    """The most calls at a time."""
    idle_s: float
    """Seconds without a call after which it is closed."""
    stall_s: float
    """Seconds for its first frames, and for taking an answer's next bytes."""
