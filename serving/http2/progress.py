"""Whether a connection moves: the bytes that its client took since the last check, and how few are too few."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, final

if TYPE_CHECKING:
    from serving.http2.connection_settings import ConnectionSettings


class Moved(NamedTuple):
    """Bytes since the last check."""

    taken_bytes: float
    """Those that the client took."""
    needed_bytes: float
    """Those that it should have taken, if there were any."""

    @property
    def is_too_slow(self) -> bool:
        """Whether it took fewer."""
        return self.taken_bytes < self.needed_bytes


@final
class Progress:
    """Compares a connection with itself at the last check.

    >>> from serving.http2.connection_settings import ConnectionSettings
    >>> settings = ConnectionSettings(message_bytes=1, streams=1, idle_s=60.0, stall_s=30.0, bytes_per_s=4096.0)
    >>> Progress(settings, 0.0).check(30.0, sent_bytes=100_000, unsent_bytes=0)
    Moved(taken_bytes=100000, needed_bytes=122880.0)

    Args:
        settings: The slowest rate, and the times that checks must not miss.
    """

    def __init__(self, settings: ConnectionSettings, now_s: float) -> None:
        self._bytes_per_s = settings.bytes_per_s
        self._checked_s = now_s
        self._taken_bytes = 0
        times = (settings.stall_s, settings.idle_s, settings.keepalive_s, settings.age_s, settings.age_grace_s)
        self.every_s = min(time_s for time_s in times if time_s is not None)
        """Seconds between two checks."""
        if settings.keepalive_s is not None:
            self.every_s = min(self.every_s, settings.keepalive_timeout_s)

    def check(self, now_s: float, *, sent_bytes: int, unsent_bytes: int) -> Moved:
        """What moved since the last check. Returns the bytes."""
        elapsed_s, self._checked_s = now_s - self._checked_s, now_s
        taken_bytes = sent_bytes - unsent_bytes
        moved = Moved(taken_bytes - self._taken_bytes, elapsed_s * self._bytes_per_s)
        self._taken_bytes = taken_bytes
        return moved
