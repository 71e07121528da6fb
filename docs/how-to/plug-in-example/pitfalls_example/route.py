"""A route: each message as a line of a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def append(document: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    """Append a message to the file that the option `path` names."""
    try:
        with Path(options["path"]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(document) + "\n")
    except OSError as error:
        raise ConnectionError(f"{options['path']} cannot be written: {error.strerror}") from error
