"""Who may ask: the Host header, the origin of what changes something, and the token beyond loopback."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from monitoring.config.addresses import is_loopback
from monitoring.dashboard.access.tokens import GetTokens, Role, digest_of, role_of
from monitoring.watches.descriptions import printable

#: Seconds from one answer to a wrong token to the next.
DELAY_S: Final = 1.0

#: Wrong tokens that wait for their answer, at most; a further one is refused at once.
MOST_WAITING: Final = 10


class WrongTokens:
    """Answers wrong tokens. Belongs to one event loop. `delay_s`: seconds from one answer to the next."""

    def __init__(self, report: Callable[[str], None] = lambda _: None, delay_s: float = DELAY_S) -> None:
        self._report = report
        self._delay_s = delay_s
        self._turn = asyncio.Lock()
        self._waiting = 0
        self.count = 0
        """How many there were, those that were refused at once included."""

    async def answered(self, peer: str, path: str) -> bool:
        """Wait until a wrong token may be answered.

        Returns:
            Whether it is to be answered; False at once if too many wait already.
        """
        self.count += 1
        if self._waiting >= MOST_WAITING:
            return False
        self._waiting += 1
        try:
            async with self._turn:
                await asyncio.sleep(self._delay_s)
                so_far = f"{self.count:,} since the start"
                self._report(f"The dashboard got a wrong token from {peer} for {printable(path, 100)}: {so_far}.")
        finally:
            self._waiting -= 1
        return True


#: How long a browser stays signed in.
SESSION_SECONDS: Final = 12 * 3600

#: Sessions that are kept, at most; with more, the oldest ends.
MOST_SESSIONS: Final = 10_000


class Sessions:
    """The sessions of a dashboard, in memory: they end with its process. Belongs to one event loop."""

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


#: The cookie that a browser gets for the token.
COOKIE = "pitfalls_dashboard"

#: Every answer has these: nothing is loaded from elsewhere, nothing runs that is not a file of the dashboard, and no
#: other page can frame it.
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}

#: What a page with images of the traffic has instead: they are written into the page itself.
WITH_PICTURES = {
    "content-security-policy": HEADERS["content-security-policy"].replace("img-src 'self'", "img-src 'self' data:")
}

Refusal: TypeAlias = Literal["host", "method", "origin", "site"]

#: Names of this machine that only it can resolve.
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may ask.

    Attributes:
        tokens: Gives the tokens that are valid now; None on a loopback address, where everybody on the machine may act.
    """

    names: frozenset[str]
    tokens: GetTokens | None = None
    sessions: Sessions = field(default_factory=Sessions)
    wrong_tokens: WrongTokens = field(default_factory=WrongTokens)

    def refusal(self, method: str, headers: Mapping[str, str]) -> Refusal | None:
        """Why a request is refused.

        >>> access = Access(names=frozenset({"localhost"}))
        >>> access.refusal("GET", {"host": "localhost:8600"}), access.refusal("GET", {"host": "evil.example"})
        (None, 'host')
        """
        host = headers.get("host", "")
        if _name(host) not in self.names:
            return "host"
        if method not in {"GET", "HEAD", "POST"}:
            return "method"
        if method == "POST":
            return None if _from_here(host, headers) else "origin"
        return "site" if _part_of_another_site(headers) else None

    def role(self, headers: Mapping[str, str], cookie: str) -> Role | None:
        """What a request may do, by its bearer token or by its session.

        Args:
            cookie: The value of the dashboard's cookie, or empty.

        Returns:
            Its role: without a token to check, everybody may act. None if it has none of the tokens.
        """
        if self.tokens is None:
            return "act"
        bearer = bearer_of(headers)
        digest = digest_of(bearer) if bearer else self.sessions.token_of(cookie)
        role = None if digest is None else role_of(digest, self.tokens())
        return None if role != "events" and _is_password(headers) else role


def _is_password(headers: Mapping[str, str]) -> bool:
    """Whether a token comes as a password, which browsers send again by themselves: it may send events alone."""
    return headers.get("authorization", "").partition(" ")[0].lower() == "basic"


def bearer_of(headers: Mapping[str, str]) -> str:
    """The token that a program sends with its request; empty for none.

    A program that is given an address alone, such as KServe's logger, sends it as the password of that.

    >>> bearer_of({"authorization": "Bearer abc"}), bearer_of({"authorization": "Basic a3NlcnZlOmFiYw=="})
    ('abc', 'abc')
    """
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if _is_password(headers):
        try:
            return base64.b64decode(token, validate=True).decode().partition(":")[2]
        except ValueError:
            return ""
    return token.strip() if scheme.lower() == "bearer" else ""


def host_names(host: str, more: tuple[str, ...] = ()) -> frozenset[str]:
    """The names by which a dashboard that listens on an address is reached."""
    host_name = f"[{host}]" if ":" in host else host
    local = _LOCAL_NAMES if is_loopback(host) else frozenset()
    return local | {host_name.lower()} | {name.lower() for name in more}


def _name(host: str) -> str:
    """A Host header without its port."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()


def _from_here(host: str, headers: Mapping[str, str]) -> bool:
    """Whether a form was sent by the dashboard's own page, or by no browser at all.

    Browsers send Sec-Fetch-Site, and Origin with every POST; what sends neither has no cookies to misuse.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2].lower() == host.lower()


def _part_of_another_site(headers: Mapping[str, str]) -> bool:
    """Whether a page of another site asks, for a picture, a frame or ahead of a click, and no reader of it."""
    if headers.get("sec-fetch-site") not in {"cross-site", "same-site"}:
        return False
    navigates = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return not navigates or "prefetch" in headers.get("sec-purpose", "")


def cookie_of(headers: Mapping[str, str], name: str) -> str:
    """The value of a cookie.

    The standard library's parser takes quoted values in a time that grows with the square of their length.

    >>> cookie_of({"cookie": "a=1; b=2"}, "b")
    '2'
    """
    for part in headers.get("cookie", "").split(";"):
        called, _, value = part.partition("=")
        if called.strip() == name:
            return value.strip()
    return ""
