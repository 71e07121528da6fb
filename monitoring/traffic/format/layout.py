"""The folder of a traffic log: the names of its subfolders and files.

ROOT/open/SEGMENT.arrows                                              a segment being written, or not converted yet
ROOT/model=NAME/version=N/date=YYYY-MM-DD/SEGMENT.parquet             its rows once converted, by UTC date of event time
ROOT/model=NAME/version=N/quarantine/SEGMENT.parquet                  rows with event times out of the server's range
ROOT/labels/SEGMENT.arrows                                            labels
ROOT/gaps/SEGMENT.gaps                                                answered rows that could not be logged, counted
ROOT/erasures/NAME.json                                               the receipt of an erasure, with hashes of its ids
ROOT/archive.json                                                     the URL to which parts are moved, if they are
URL/model=NAME/version=N/date=YYYY-MM-DD/SEGMENT.parquet              parts that were moved
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from monitoring.errors import BadInput

OPEN = "open"
LABELS = "labels"
GAPS = "gaps"
QUARANTINE = "quarantine"
PART_SUFFIX = ".parquet"
ARCHIVE = "archive.json"
MODEL_PREFIX = "model="


def model_folder(root: Path, model: str, version: int) -> Path:
    """The folder of the parts of one version; the model's name is percent-encoded.

    >>> model_folder(Path("traffic"), "a/b", 3).as_posix()
    'traffic/model=a%2Fb/version=3'
    """
    return root / f"{MODEL_PREFIX}{quote(model, safe='')}" / f"version={version}"


def is_log(names: Iterable[str]) -> bool:
    """Whether a folder with entries of these names is a traffic log."""
    return any(name in (OPEN, LABELS) or name.startswith(MODEL_PREFIX) for name in names)


def check_root(root: Path) -> None:
    """Check that a folder is a traffic log."""
    if not root.is_dir():
        raise BadInput(
            "There is no such traffic log.",
            got=str(root) if not root.exists() else f"{root}, which is a file",
            expected="the folder that a server was given with --traffic",
            fix="Check the path.",
        )
    with os.scandir(root) as entries:
        names = [entry.name for entry in entries]
    if not is_log(names):
        raise BadInput(
            f"{root} is not a traffic log.",
            got=f"a folder with {', '.join(sorted(names)[:3])}" if names else "an empty folder",
            expected=f"a folder with {OPEN}/, {LABELS}/ or {MODEL_PREFIX}NAME/ in it",
            fix="Give the folder that a server was given with --traffic.",
        )
