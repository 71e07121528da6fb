"""Old labels are deleted from a label log, segment by segment; the others keep their sequence numbers."""

from __future__ import annotations

import fcntl
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow.compute as pc

from monitoring.atomic import write_text
from monitoring.errors import CannotRun
from monitoring.timestamps import as_microseconds
from monitoring.traffic.format.layout import LABELS
from monitoring.traffic.format.segments import SegmentContents, read_segment, segments_in

#: Writers of labels, and who deletes them, hold the lock of this file in their folder.
LOCK = "lock"

#: The file in the folder of labels that says what was deleted.
FORGOTTEN = "forgotten.json"

_TIMES = ("label_time", "arrived_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgottenLabels:
    """What was deleted from a label log."""

    labels: int = 0
    until: str = ""


def read_forgotten(folder: Path) -> ForgottenLabels:
    """What was deleted from the label log in a folder."""
    path = folder / FORGOTTEN
    try:
        document = json.loads(path.read_text("utf-8"))
        return ForgottenLabels(labels=int(document["labels"]), until=str(document["until"]))
    except FileNotFoundError:
        return ForgottenLabels()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CannotRun(
            "It is not known which labels were deleted from the label log.",
            got=f"{path} ({type(error).__name__})",
            expected="the file that `pitfalls monitor run` wrote",
            fix="Restore the file from a backup, with the segments beside it.",
        ) from error


def kept_segments(folder: Path, gone: ForgottenLabels) -> tuple[Path, ...]:
    """The segments of a label log without those that were deleted, or are about to be."""
    return tuple(path for path in segments_in(folder) if path.stem > gone.until)


def forget_labels(root: Path, before: datetime, *, read: int) -> int:
    """Delete the oldest segments of a label log whose labels nobody needs any more.

    The last segment that has labels stays, as does whatever comes after a damaged one. What is deleted is written down
    first: killed at any moment, readers see the labels of a segment or do not, and later ones keep their numbers.
    """
    folder = root / LABELS
    if not segments_in(folder)[1:]:
        return 0
    try:
        with (folder / LOCK).open("a") as lock:  # which writers take too
            fcntl.flock(lock, fcntl.LOCK_EX)
            return _forget(folder, as_microseconds(before), read)
    except OSError as error:
        raise CannotRun(
            "Old labels cannot be deleted.",
            got=f"{folder}: {error.strerror}",
            expected="a folder that this user may write",
            fix="Give the right to write, or remove `labels` from the [retention] section.",
        ) from error


def _forget(folder: Path, before_us: int, read: int) -> int:
    gone = first = read_forgotten(folder)
    waiting = kept_segments(folder, gone)
    for number, path in enumerate(waiting):
        contents = read_segment(path)
        rows = 0 if contents.table is None else contents.table.num_rows
        needed = contents.damaged or not _is_old(contents, before_us) or gone.labels + rows > read
        if needed or not any(map(_has_labels, waiting[number + 1 :])):
            break
        gone = ForgottenLabels(labels=gone.labels + rows, until=path.stem)
    if gone != first:
        write_text(folder / FORGOTTEN, json.dumps({"labels": gone.labels, "until": gone.until}))
    for path in segments_in(folder):
        if path.stem <= gone.until:
            path.unlink(missing_ok=True)
    return gone.labels - first.labels


def _has_labels(path: Path) -> bool:
    table = read_segment(path).table
    return table is not None and table.num_rows > 0


def _is_old(contents: SegmentContents, before_us: int) -> bool:
    """Whether all labels of a segment became known, and arrived, before a time."""
    if contents.table is None or not contents.table.num_rows:
        return True
    newest = max(int(pc.max(contents.table[name].cast("int64")).as_py()) for name in _TIMES)
    return newest < before_us
