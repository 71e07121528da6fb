"""The traffic log of one server process: opened before anything slow is loaded, closed when all is answered."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from monitoring.traffic.labels import LabelWriter
from monitoring.traffic.log import TrafficWriter, recover
from serving.capture import Capture
from serving.rest.late_labels import LabelDesk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficSettings:
    """Where answers are logged, and how."""

    folder: Path


@contextmanager
def open_traffic(
    settings: TrafficSettings | None, *, token: str | None, report: Callable[[str], None]
) -> Iterator[tuple[Capture, LabelDesk]]:
    """The traffic log's two writers, closed at the end; what a killed server left open is converted first.

    Raises:
        CannotRun: the folder cannot be written.
    """
    if settings is None:
        yield Capture(None), LabelDesk(token=token)
        return
    rows = TrafficWriter(settings.folder, clock=_now)
    labels = LabelWriter(settings.folder, clock=_now)
    try:
        left = recover(settings.folder)
        if left.rows:
            report(f"Converted {left.rows} rows that an earlier server left in {left.segments} open segments.")
        yield Capture(rows), LabelDesk(writer=labels, token=token)
    finally:
        rows.close()
        labels.close()


def _now() -> datetime:
    return datetime.now(UTC)
