"""Every error a user can meet, and the exit code it ends with.

PitfallsError
   |-- BadInput               the input is invalid: correct it                        exit 2
   |     `-- InvalidSettings  all invalid settings of one file or command
   `-- CannotRun              the input is valid, the environment does not allow it   exit 3
         `-- AnotherRun       another run is judging the same deployment

Exit 0 means healthy and 1 means a page was raised; neither is an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

#: Characters of the offending value that are shown: it may quote a file, a request or a row.
LONGEST = 1_000


class PitfallsError(Exception):
    """An error meant to be read by a person: what happened, what was got, what was expected, how to fix it.

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
    """The input is invalid; nothing was changed. Exit code 2.

    >>> BadInput("No such column.", got="'ts'", expected="one of: time", fix="Name the column time.").fix
    'Name the column time.'
    """

    exit_code = 2


class InvalidSettings(BadInput):
    """The invalid settings of one file or command, all in one message.

    >>> print(InvalidSettings("monitor.toml", ["line 2: not valid TOML.", "line 7: unknown key."]))
    2 errors in monitor.toml:
      line 2: not valid TOML.
      line 7: unknown key.
    """

    def __init__(self, source: str, settings: Sequence[str]) -> None:
        self.settings = tuple(settings)
        count = f"{len(self.settings)} error{'' if len(self.settings) == 1 else 's'}"
        listed = "".join(f"\n  {line}" for line in self.settings)
        super().__init__(f"{count} in {source}.", got=count, expected="valid settings", fix=f"Correct:{listed}")
        self._text = f"{count} in {source}:{listed}"

    def __str__(self) -> str:
        return self._text


class CannotRun(PitfallsError):
    """The input is valid, but the environment does not allow it: a port in use, a folder that cannot be written.

    Exit code 3.

    >>> CannotRun("The port is in use.", got="8501", expected="a free port", fix="Choose another one.").exit_code
    3
    """

    exit_code = 3


class AnotherRun(CannotRun):
    """Another run is judging the same deployment: nothing is wrong, and nothing is left undone."""
