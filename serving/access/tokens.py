"""Tokens: who may ask for what. A file of tokens is read again when it changes, so that they rotate without a restart.

One line of the file is ``TOKEN``, which may send labels, or ``TOKEN SCOPES NAME``: scopes separated by commas, and the
name that the server's logs have for its holder. ``#`` begins a comment.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from monitoring.errors import BadInput
from monitoring.private_file import private_text, words_of

MIN_BYTES = 16
NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
#: The name of a token that was given none.
UNNAMED = "token"


class Scope(StrEnum):
    """What a token's holder may do."""

    PREDICT = "predict"
    LABELS = "labels"
    RELOAD = "reload"
    METRICS = "metrics"
    ADMIN = "admin"
    """All of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One token. Only its digest is kept."""

    digest: bytes = field(repr=False)
    scopes: frozenset[Scope] = frozenset({Scope.LABELS})
    name: str = UNNAMED

    @classmethod
    def of(cls, text: str, scopes: Iterable[Scope] = (Scope.LABELS,), name: str = UNNAMED) -> Token:
        """The token with this text."""
        return cls(digest=_digest(text.encode()), scopes=frozenset(scopes), name=name)

    def allows(self, scope: Scope) -> bool:
        """Whether its holder may do something.

        >>> Token.of("a" * 16).allows(Scope.LABELS), Token.of("a" * 16).allows(Scope.RELOAD)
        (True, False)
        """
        return scope in self.scopes or Scope.ADMIN in self.scopes


def find_token(header: bytes, tokens: Iterable[Token]) -> Token | None:
    """Find the token that a client has sent, in a time that does not depend on it.

    Returns:
        The token; None if none is equal.
    """
    if not header.startswith(b"Bearer "):
        return None
    digest = _digest(header.removeprefix(b"Bearer "))
    match = None
    for token in tokens:
        if hmac.compare_digest(digest, token.digest):
            match = token
    return match


def read_tokens(file: Path) -> tuple[Token, ...]:
    """Read the tokens of a file.

    Raises:
        BadInput: The file cannot be read, others may read it, or a line is invalid. The message never has a token.
    """
    text = private_text(file, lambda reason, fix: _bad_file(file, reason, fix=fix))
    lines = [(number, words_of(line)) for number, line in enumerate(text.splitlines(), start=1)]
    return _checked(file, [_read_line(file, number, words) for number, words in lines if words])


def _checked(file: Path, tokens: list[Token]) -> tuple[Token, ...]:
    if not tokens:
        raise _bad_file(file, "it is empty")
    return tuple(tokens)


def check_length(text: str, place: str) -> None:
    """Check that a token is long enough not to be guessed."""
    if len(text.encode()) < MIN_BYTES:
        raise BadInput(
            "A token is too short.",
            got=f"{place}: {len(text.encode())} bytes",
            expected=f"at least {MIN_BYTES}",
            fix="Create one, for example: openssl rand -hex 16",
        )


def _bad_file(file: Path, reason: str, *, fix: str = "") -> BadInput:
    """What is wrong with a token file."""
    return BadInput(
        "The token file cannot be used.",
        got=f"{file}: {reason}",
        expected="a file of mode 0600 with lines TOKEN or TOKEN SCOPES NAME",
        fix=fix or "Create one, for example: (umask 077; openssl rand -hex 16 > token)",
    )


def _read_line(file: Path, number: int, words: list[str]) -> Token:
    if "#" in words[0]:
        raise _bad_file(file, f"line {number} has a # in its token", fix="Put a space before a comment.")
    check_length(words[0], f"{file}, line {number}")
    if len(words) > 3:
        raise _bad_file(file, f"line {number} has {len(words)} words")
    try:
        scopes = [Scope(name) for name in words[1].split(",")] if len(words) > 1 else [Scope.LABELS]
    except ValueError:
        scope_names = ", ".join(Scope)
        raise _bad_file(file, f"line {number} has an unknown scope", fix=f"The scopes are {scope_names}.") from None
    name = words[2] if len(words) > 2 else UNNAMED
    if not NAME.fullmatch(name):
        raise _bad_file(file, f"line {number} has an invalid name", fix="Use letters, digits, '.', '_' and '-'.")
    return Token.of(words[0], scopes, name)


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()
