"""Configuration files in protobuf's text format, and errors that name the line."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn, TypeVar

from google.protobuf import text_format
from google.protobuf.message import Message

from monitoring.errors import BadInput

Kind = TypeVar("Kind", bound=Message)

MOST_BYTES = 4 << 20


def read_text_file(path: Path, message: Kind, *, flag: str) -> Kind:
    """Read a configuration file. `message`: an empty message of the file's type, which is filled."""
    wanted = f"a {message.DESCRIPTOR.name} in protobuf's text format"
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        text = content.decode("utf-8")
    except OSError as error:
        _refuse(flag, f"{path} ({error.strerror})", wanted)
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        _refuse(flag, f"{path}, line {line} of which is not UTF-8", wanted)
    if len(content) > MOST_BYTES:
        _refuse(flag, f"{path}, over {MOST_BYTES >> 20} MiB", wanted)
    try:
        return text_format.Parse(text, message)
    except text_format.ParseError as error:
        raise BadInput(
            f"{path} cannot be used.",
            got=f"Error parsing text-format tensorflow.serving.{message.DESCRIPTOR.name}: line:column {error}",
            expected=wanted,
            fix=f"Correct that line. The fields are: {', '.join(message.DESCRIPTOR.fields_by_name)}.",
        ) from error


def _refuse(flag: str, got: str, wanted: str) -> NoReturn:
    raise BadInput(f"The file of {flag} cannot be read.", got=got, expected=wanted, fix="Check the path.")
