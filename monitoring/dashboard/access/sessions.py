"""Sessions of browsers: each sign-in has a cookie of its own, which ends with it, with its time, or with its token."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from typing import Final

#: How long a browser stays signed in.
SESSION_SECONDS: Final = 12 * 3600

#: Sessions that are kept, at most; with more, the oldest ends.
MOST_SESSIONS: Final = 10_000


class Sessions:
    """The sessions of a dashboard, in memory: they end with its process. Belongs to one event loop.

    Args:
        clock: Seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sessions: dict[bytes, tuple[bytes, float]] = {}
        """The digest of each token, and when its session ends, by the digest of the cookie, the oldest first."""

    def begin(self, token: bytes) -> str:
        """Begin a session."""
        if len(self._sessions) >= MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        cookie = secrets.token_urlsafe(32)
        self._sessions[_key(cookie)] = token, self._clock() + SESSION_SECONDS
        return cookie

    def end(self, cookie: str) -> None:
        """End the session of a cookie, if there is one."""
        self._sessions.pop(_key(cookie), None)

    def token_of(self, cookie: str) -> bytes | None:
        """The digest of the token with which a session began; None if there is no session, or it has ended."""
        token, until = self._sessions.get(_key(cookie), (None, 0.0))
        if token is not None and self._clock() >= until:
            self.end(cookie)
            return None
        return token


def _key(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode(errors="surrogatepass")).digest()
