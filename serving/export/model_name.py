"""What a model may be called; imported by servers, which have none of what exports need."""

from __future__ import annotations

import re
from typing import Final

from monitoring.errors import BadInput

# A server reads the name in a URL, where a number would be a version.
MODEL_NAME: Final = re.compile(r"(?=.*[^0-9])[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def check_name(name: str) -> None:
    """Check that a model can have this name in a server's URLs.

    >>> check_name("flights-2013")
    """
    if not MODEL_NAME.fullmatch(name):
        raise BadInput(
            "This cannot be the name of a model.",
            got=repr(name),
            expected="up to 128 letters, digits, '.', '_' and '-', the first a letter or digit, and not a bare number",
            fix="For example --name flights.",
        )
