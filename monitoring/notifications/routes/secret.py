"""Secrets of routes: read from a file or from the environment when they are used, and never shown."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from pydantic_core import PydanticCustomError

from monitoring.config.addresses import redacted, webhook_url
from monitoring.errors import BadInput
from monitoring.private_file import private_text

#: More than any key, token or URL.
_MOST_BYTES = 10_000


def read_secret(file: Path | None, variable: str | None, *, environ: Mapping[str, str] = os.environ) -> str | None:
    """Read a secret: the text of a file, or of a variable, without the spaces around it."""
    if file is None and variable is None:
        return None
    text = _text(file) if file is not None else environ.get(variable or "", "")
    secret = text.strip()
    if not secret:
        _reject(file, variable, "it is empty")
    if not (secret.isascii() and secret.isprintable()):
        _reject(file, variable, "it is not one line of ASCII")
    return secret


def read_secret_url(file: Path | None, variable: str | None) -> str | None:
    """Read a URL that is a secret.

    Raises:
        BadInput: It cannot be read, or is not a URL that is allowed in the config either.
    """
    url = read_secret(file, variable)
    try:
        return None if url is None else webhook_url(url)
    except PydanticCustomError:
        raise BadInput(
            "A secret is not a URL that is allowed.",
            got=redacted(url or ""),
            expected="https://HOST/PATH, or http:// on this machine",
            fix="Correct it where it is kept.",
        ) from None


def check_secret_file(file: Path) -> None:
    """Check a file whose secrets another program reads."""
    _text(file)


def _text(file: Path) -> str:
    return private_text(file, lambda reason, fix: _refusal(file, None, reason, fix=fix), most=_MOST_BYTES)


def _reject(file: Path | None, variable: str | None, reason: str) -> NoReturn:
    raise _refusal(file, variable, reason)


def _refusal(file: Path | None, variable: str | None, reason: str, *, fix: str = "") -> BadInput:
    return BadInput(
        "A secret cannot be used.",
        got=f"{file}: {reason}" if file is not None else f"the variable {variable}: {reason}",
        expected="one line of ASCII, in a file of mode 0600 or in the environment",
        fix=fix or "Write it there; it is read each time it is used.",
    )
