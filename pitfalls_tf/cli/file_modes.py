"""Who may read what is written: by default its owner alone; logs, labels, stores, exports and reports hold raw rows."""

from __future__ import annotations

import os
import re

UMASK_VARIABLE = "PITFALLS_UMASK"
OWNER_ONLY = 0o077
OCTAL = re.compile(r"[0-7]{1,4}")


def restrict_files() -> None:
    """Let new files be of mode 0600 and new folders of 0700, or as the variable PITFALLS_UMASK allows.

    Raises:
        SystemExit: the variable is not an octal number; the exit code is 2.
    """
    text = os.environ.get(UMASK_VARIABLE, "")
    if text and not OCTAL.fullmatch(text):
        raise SystemExit(_refuse(text))
    os.umask(int(text, 8) & 0o777 if text else OWNER_ONLY)


def _refuse(text: str) -> int:
    message = f"Error: {UMASK_VARIABLE} cannot be used. Got {text!r}; expected an octal number such as 027."
    os.write(2, f"{message} Correct it, or unset it.\n".encode())
    return 2
