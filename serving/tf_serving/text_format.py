"""Files in protobuf's text format: how they are read, and what is wrong with one that cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from google.protobuf import text_format

from monitoring.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path

    from google.protobuf.message import Message

    Kind = TypeVar("Kind", bound=Message)

MOST_BYTES = 4 << 20


def read_text_file(path: Path, message: Kind, *, flag: str) -> Kind:
    """Fill ``message`` from the file that ``flag`` named.

    Raises:
        BadInput: the file cannot be read, is over 4 MiB, or is no such message; with line and column.
    """
    wanted = f"a {message.DESCRIPTOR.name} in protobuf's text format"
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        text = content.decode("utf-8")
    except OSError as error:
        raise _unreadable(flag, f"{path} ({error.strerror})", wanted) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise _unreadable(flag, f"{path}, line {line} of which is not UTF-8", wanted) from error
    if len(content) > MOST_BYTES:
        raise _unreadable(flag, f"{path}, over {MOST_BYTES >> 20} MiB", wanted)
    try:
        return text_format.Parse(text, message)
    except text_format.ParseError as error:
        raise BadInput(
            f"{path} cannot be used.",
            got=f"at line:column {error}",
            expected=wanted,
            fix=f"Mend that line. Every field that there is: {', '.join(message.DESCRIPTOR.fields_by_name)}.",
        ) from error


def _unreadable(flag: str, got: str, wanted: str) -> BadInput:
    return BadInput(f"The file of {flag} cannot be read.", got=got, expected=wanted, fix="Check the path.")
