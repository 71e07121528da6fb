"""The door by which labels come over the dashboard, from its API and from the page on which people label rows."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Final, TypeAlias

from monitoring.asking.ask import labels_root
from monitoring.config import MonitorConfig
from monitoring.errors import CannotRun
from monitoring.store.added_labels import AddedLabels
from monitoring.store.store import Store
from monitoring.timestamps import as_microseconds
from monitoring.traffic.labels.label_writer import LabelWriter

#: Label logs that stay open, at most: two files each.
MOST_OPEN: Final = 16

#: A prediction's id, its label as text, and when it became known.
NewLabel: TypeAlias = tuple[str, str, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelTarget:
    """The deployment that labels are for: its config, and its number in its store."""

    config: MonitorConfig
    store: Store
    number: int


class LabelWriters:
    """Writers of label logs that stay open, so that labels which come one by one share a segment. For threads."""

    def __init__(self, most: int = MOST_OPEN) -> None:
        self._most = most
        self._lock = Lock()
        self._writers: OrderedDict[Path, LabelWriter] = OrderedDict()

    def append(
        self, root: Path, labels: Sequence[NewLabel], *, model: str | None, clock: Callable[[], datetime]
    ) -> int:
        """Append labels to the log in a folder, all or none; they survive a power cut when this returns.

        Returns:
            How many: those of erased predictions are left out.

        Raises:
            CannotRun: None was added.
        """
        ids = [name for name, _, _ in labels]
        with self._lock:
            writer = self._writers.pop(root, None) or LabelWriter(root, clock=clock)
            try:
                added = writer.append(
                    ids,
                    [text for _, text, _ in labels],
                    [as_microseconds(time) for _, _, time in labels],
                    models=None if model is None else [model] * len(ids),
                    sync=True,
                )
            except BaseException as error:
                writer.close()
                if not isinstance(error, OSError):
                    raise
                raise CannotRun(
                    "No label was added.",
                    got=f"{root}: {error.strerror}",
                    expected="a writable folder with free space",
                    fix="Free space, then send the labels again.",
                ) from error
            self._writers[root] = writer
            while len(self._writers) > self._most:
                self._writers.popitem(last=False)[1].close()
        return added

    def close(self) -> None:
        """Close the writers; a later append opens them again."""
        with self._lock:
            while self._writers:
                self._writers.popitem()[1].close()


def add_labels(
    target: LabelTarget, labels: Sequence[NewLabel], *, by: str, writers: LabelWriters, clock: Callable[[], datetime]
) -> int:
    """Add labels to a deployment's label log, for its model alone, and keep who added how many.

    Returns:
        How many: those of erased predictions are left out. They survive a power cut.

    Raises:
        BadInput: The log is at a URL.
        CannotRun: None was added. One whose record fails is added, and may be sent again: labels count once.
    """
    config = target.config
    model = None if config.model.bundle is None else config.model.name
    added = writers.append(labels_root(config), labels, model=model, clock=clock)
    target.store.added_labels.add(target.number, AddedLabels(at=clock(), by=by.strip(), labels=added))
    return added
