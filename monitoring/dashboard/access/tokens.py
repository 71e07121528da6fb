"""Tokens of the dashboard: a file of them, what each may do, read again when it changes.

A line is ``TOKEN`` or ``TOKEN act``, which may act, ``TOKEN read``, ``TOKEN read rows``, or ``TOKEN events``, which may
only send events of traffic; ``#`` begins a comment.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias

from monitoring.errors import BadInput
from monitoring.private_file import private_text, stamp_of, words_of

#: What somebody may do: look at pages only, at those with single rows of the traffic too, act as well; or only send
#: events of the traffic.
Role: TypeAlias = Literal["read", "rows", "act", "events"]

#: A shorter token could be guessed.
LEAST_BYTES: Final = 16

#: A changed file is noticed after so long.
REREAD_S: Final = 1.0

_ROLES: Final[dict[tuple[str, ...], Role]] = {
    (): "act",
    ("act",): "act",
    ("read",): "read",
    ("read", "rows"): "rows",
    ("events",): "events",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token: its digest alone, and what its holder may do."""

    digest: bytes = field(repr=False)
    role: Role

    @classmethod
    def of(cls, text: str, role: Role = "act") -> Token:
        """The token with this text."""
        return cls(digest=digest_of(text), role=role)


#: Gives the tokens that are valid now.
GetTokens: TypeAlias = Callable[[], tuple[Token, ...]]


def digest_of(text: str) -> bytes:
    """The digest by which a token is known."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()


def role_of(digest: bytes, tokens: Iterable[Token]) -> Role | None:
    """What the token of a digest may do, in a time that does not depend on it; None if none is equal."""
    role: Role | None = None
    for token in tokens:
        if hmac.compare_digest(digest, token.digest):
            role = token.role
    return role


def read_tokens(file: Path) -> tuple[Token, ...]:
    """Read the tokens of a file. Returns at least one token that may act, and no token twice.

    Raises:
        BadInput: The file cannot be read, others may read it, or a line is invalid. The message never has a token.
    """
    text = private_text(file, lambda reason, fix: _bad_file(file, reason, fix))
    lines = [(number, words_of(line)) for number, line in enumerate(text.splitlines(), start=1)]
    return _checked(file, [_token(file, number, words) for number, words in lines if words])


def _checked(file: Path, tokens: list[Token]) -> tuple[Token, ...]:
    if not any(token.role == "act" for token in tokens):
        raise _bad_file(file, "each of its tokens may read only" if tokens else "it is empty", "")
    if len({token.digest for token in tokens}) < len(tokens):
        raise _bad_file(file, "it has a token twice", "Give each of them one line.")
    return tuple(tokens)


def _token(file: Path, number: int, words: list[str]) -> Token:
    text, role = words[0], _ROLES.get(tuple(words[1:]))
    if "#" in text:
        raise _bad_file(file, f"line {number} has a # in its token", "Put a space before a comment.")
    if (size := len(text.encode())) < LEAST_BYTES:
        raise _bad_file(file, f"line {number} has a token of {size} bytes, and not {LEAST_BYTES} at least", "")
    if role is None:
        raise _bad_file(
            file, f"line {number} does not say what its token may do", "Write act, read, read rows or events."
        )
    return Token.of(text, role)


def _bad_file(file: Path, reason: str, fix: str) -> BadInput:
    return BadInput(
        "The token file cannot be used.",
        got=f"{file}: {reason}",
        expected="a file of mode 0600 with lines TOKEN, TOKEN read, TOKEN read rows or TOKEN events",
        fix=fix or "Create one, for example: (umask 077; openssl rand -hex 16 > token)",
    )


class TokenFile:
    """The tokens of a file as it is now. Belongs to one event loop.

    Args:
        file: The file; one that becomes invalid changes nothing, and is reported.
        clock: Seconds.
    """

    def __init__(
        self, file: Path, report: Callable[[str], None] = lambda _: None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._file = file
        self._report = report
        self._clock = clock
        self._stamp = stamp_of(file)
        self._tokens = read_tokens(file)
        self._look_s = clock() + REREAD_S

    def tokens(self) -> tuple[Token, ...]:
        """The tokens that are valid now."""
        if self._clock() < self._look_s:
            return self._tokens
        self._look_s = self._clock() + REREAD_S
        stamp = stamp_of(self._file)
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._tokens = read_tokens(self._file)
            except BadInput as error:
                self._report(f"The dashboard's tokens stay as they were: {error}")
            else:
                self._report(f"The dashboard's token file has been read again: {len(self._tokens)} tokens.")
        return self._tokens
