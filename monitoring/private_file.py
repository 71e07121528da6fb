"""Files with secrets: read only where nobody may read them but their owner, and a group of the owner's choice."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

#: More than any key, or list of tokens.
MOST_BYTES: Final = 65_536

#: What others may not do: read, write or run it; nor may the group, but read it.
_FORBIDDEN: Final = 0o037


def private_text(file: Path, refusal: Callable[[str, str], Exception], *, most: int = MOST_BYTES) -> str:
    """The text of a file with secrets. Returns its text, not empty.

    Args:
        refusal: The error for a reason, and for what mends it; empty where nothing general does. Neither quotes the
            file's text.
        most: The most bytes that it may have.
    """
    try:
        with file.open("rb") as opened:
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            content = opened.read(most + 1)
        text = content.decode("utf-8")
    except OSError as error:
        raise refusal(str(error.strerror), "") from None
    except UnicodeDecodeError:
        raise refusal("it is not UTF-8", "") from None
    if mode & _FORBIDDEN:
        raise refusal(f"others may read or write it: mode {mode:04o}", f"chmod 600 {file}")
    if len(content) > most:
        raise refusal("it is too large", "")
    if not text.strip():
        raise refusal("it is empty", "")
    return text


def words_of(line: str) -> list[str]:
    """The words of a line before one that begins with #."""
    words = line.split()
    comment = next((place for place, word in enumerate(words) if word.startswith("#")), len(words))
    return words[:comment]


def stamp_of(file: Path) -> tuple[int, int, int] | None:
    """What is another once a file has been written or replaced; None where there is none."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def check_private(file: Path, refusal: Callable[[str, str], Exception]) -> None:
    """Check a file with secrets that another library reads."""
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
    except OSError as error:
        raise refusal(str(error.strerror), "") from None
    if mode & _FORBIDDEN:
        raise refusal(f"others may read or write it: mode {mode:04o}", f"chmod 600 {file}")
