"""The file beside a baseline that was made from traffic: when, by whom, of which windows, and why."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from monitoring.errors import CannotRun
from monitoring.records import Rebaseline

REBASELINE = "rebaseline.json"

_TIMES = ("at", "start", "end", "since")
_TEXTS = ("by", "reason", "former_basis", "former_section")


def write_rebaseline(rebaseline: Rebaseline, folder: Path) -> None:
    """Write the file. What a store adds later, such as the incidents that were closed, is not in it."""
    document = {name: getattr(rebaseline, name).isoformat() for name in _TIMES}
    document |= {name: getattr(rebaseline, name) for name in _TEXTS}
    (folder / REBASELINE).write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_rebaseline(folder: Path) -> Rebaseline | None:
    """Read the file of a baseline.

    Returns:
        How it was made; None for one that was not made from traffic.

    Raises:
        CannotRun: The file is damaged.
    """
    path = folder / REBASELINE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        at, start, end, since = (datetime.fromisoformat(document[name]) for name in _TIMES)
        by, reason, former_basis, former_section = (str(document[name]) for name in _TEXTS)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise CannotRun(
            "The record of a new baseline cannot be read.",
            got=f"{path}: {error}",
            expected="the file that `pitfalls monitor rebaseline` wrote",
            fix="Restore the file, or make the baseline again.",
        ) from error
    return Rebaseline(
        at=at,
        by=by,
        reason=reason,
        start=start,
        end=end,
        since=since,
        former_basis=former_basis,
        former_section=former_section,
    )
