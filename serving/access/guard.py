"""The guard: decides whether a request's credential allows what it asks for, and counts those that it refuses."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import final

from monitoring.errors import BadInput
from monitoring.private_file import stamp_of
from serving.access.audit_log import AuditLog
from serving.access.tokens import Scope, Token, find_token, read_tokens
from serving.status import Code, Failure

TOKEN_VARIABLE = "PITFALLS_TOKEN"  # noqa: S105 - the name of the variable, not a token
#: A changed token file is noticed after so long.
REREAD_S = 1.0
#: Holders of any name, for requests that need no token.
ANYONE = ""
REFUSAL_DELAY_S = 1.0
HOW = f"set {TOKEN_VARIABLE} in its environment, or pass --token-file FILE"


@final
class Guard:
    """Checks tokens. Belongs to one event loop.

    Args:
        file: Read again when it changes; a file that becomes invalid changes nothing and is reported.
        required: What is asked of every client, beside labels and reloads, which always need a token.
        delay_s: After how long a wrong token is answered, so that guesses are slow.
        clock: Seconds.
    """

    def __init__(
        self,
        tokens: Sequence[Token] = (),
        *,
        file: Path | None = None,
        required: Collection[Scope] = (),
        report: Callable[[str], None] = lambda _: None,
        delay_s: float = REFUSAL_DELAY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tokens = tuple(tokens) if file is None else read_tokens(file)
        self._file = file
        self._required = frozenset(required) | {Scope.LABELS, Scope.RELOAD}
        self._report = report
        self._clock = clock
        self.audit: AuditLog | None = None
        """Where refusals, and what is recorded, are written."""
        self.delay_s = delay_s
        self._stamp = None if file is None else stamp_of(file)
        self._look_s = clock() + REREAD_S
        self.refused = 0
        """How many requests had a wrong token, or none where one was needed."""
        for scope in required:
            if not any(token.allows(scope) for token in self._tokens):
                raise BadInput(
                    f"No token allows {scope}, which is to need one.",
                    got=f"{len(self._tokens)} tokens",
                    expected=f"a line TOKEN {scope} NAME in --token-file",
                    fix="Add one, or do not ask for it.",
                )

    def record(self, event: str, who: str, **details: str | int) -> None:
        """Write what a client did to the audit log, if there is one."""
        if self.audit is not None:
            self.audit.write(event, who, **details)

    def needs_token(self, scope: Scope) -> bool:
        """Whether every client needs a token for this."""
        return scope in self._required

    def check(self, scope: Scope, authorization: bytes) -> str:
        """Check a request's credential.

        Args:
            authorization: The header; empty if there is none.

        Returns:
            The name of the token's holder; `ANYONE` if no token was needed, or given.

        Raises:
            Failure: UNAUTHENTICATED for a wrong or missing token; PERMISSION_DENIED if it does not allow this, or the
                server has no tokens.
        """
        if scope not in self._required and not authorization:
            return ANYONE
        self._reread()
        token = find_token(authorization, self._tokens) if authorization else None
        if token is not None and token.allows(scope):
            return token.name
        if scope not in self._required:
            return ANYONE
        self.refused += 1
        if self.audit is not None:
            self.audit.refused(scope, "" if token is None else token.name)
        if not self._tokens:
            raise Failure(Code.PERMISSION_DENIED, f"This server was started without a token: {HOW}.")
        if token is not None:
            raise Failure(Code.PERMISSION_DENIED, f"The token of {token.name} does not allow this: it needs {scope}.")
        raise Failure(Code.UNAUTHENTICATED, "Wrong or missing token: send the header Authorization: Bearer TOKEN.")

    def name_of(self, authorization: bytes) -> str:
        """The name of a token's holder, whatever it allows; `ANYONE` for none, or one that is not valid."""
        self._reread()
        token = find_token(authorization, self._tokens)
        return ANYONE if token is None else token.name

    def _reread(self) -> None:
        """Read the file again if it has changed."""
        if self._file is None or self._clock() < self._look_s:
            return
        self._look_s = self._clock() + REREAD_S
        stamp = stamp_of(self._file)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._tokens = read_tokens(self._file)
        except BadInput as error:
            self._report(f"The tokens stay as they were: {error}")
        else:
            self._report(f"The token file has been read again: {len(self._tokens)} tokens.")
