"""The folder of what cannot be beside the configs."""

from __future__ import annotations

import os
from pathlib import Path

from monitoring.errors import CannotRun


def state_folder() -> Path:
    """The folder in which this user's monitors keep what has to outlive their configs, or cannot be beside them.

    Returns:
        `$XDG_STATE_HOME/pitfalls`, by default `~/.local/state/pitfalls`.

    Raises:
        CannotRun: There is neither the variable nor a home.
    """
    try:
        return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state", "pitfalls")
    except RuntimeError as error:
        raise CannotRun(
            "There is no folder for what has to outlive the configs.",
            got=str(error),
            expected="a home, or the variable XDG_STATE_HOME",
            fix="Set XDG_STATE_HOME; for a service, --state names one too.",
        ) from error
