"""The outputs of a version that have a label each, as its baseline says."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

BASELINE_FILE = "assets.extra/baseline/baseline.json"


def labelled_outputs(version: Path) -> tuple[str, ...]:
    """Read which outputs of a version have a label each.

    Returns:
        Their names; none where a label is one value, or the folder does not say.
    """
    with suppress(OSError, ValueError, LookupError, TypeError):  # a SavedModel without a baseline, or another format
        document = json.loads((version / BASELINE_FILE).read_text(encoding="utf-8"))
        return tuple(str(output["output"]) for output in document["several"])
    return ()
