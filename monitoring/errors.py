"""Every error a user can meet, and the exit code it ends with.

PitfallsError
   |-- BadInput    what was given is wrong: the caller can mend it       exit 2
   `-- CannotRun   what was given is fine, the surroundings are not      exit 3

Exit 0 means healthy and 1 means a page was raised; neither is an error.
"""

from __future__ import annotations

from typing import ClassVar

#: Characters of what was got that are shown: it may quote a file, a request or a row.
LONGEST = 1_000


class PitfallsError(Exception):
    """An error meant to be read by a person: what happened, what was got, what was expected, how to mend it.

    Of a long `got` its beginning and its end are shown.

    >>> str(BadInput("No such setup.", got="'fligths'", expected="one of: flights", fix="Did you mean flights?"))
    "No such setup. Got 'fligths'; expected one of: flights. Did you mean flights?"
    """

    exit_code: ClassVar[int] = 3

    def __init__(self, what: str, *, got: str, expected: str, fix: str) -> None:
        self.what = what
        self.got = got if len(got) <= LONGEST else f"{got[: LONGEST // 2]} … {got[-LONGEST // 2 :]}"
        self.expected = expected
        self.fix = fix
        super().__init__(f"{what} Got {self.got}; expected {expected}. {fix}")


class BadInput(PitfallsError):
    """What was given is wrong; nothing was changed."""

    exit_code = 2


class CannotRun(PitfallsError):
    """What was given is fine, but the surroundings do not allow it: a port in use, a folder that cannot be written."""

    exit_code = 3
