"""Traffic logs in memory, for tests."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from monitoring.traffic.format.rows import AnsweredRows


@dataclass
class MemoryLog:
    """Keeps what is appended."""

    appends: list[AnsweredRows] = field(default_factory=list)

    def append(self, rows: AnsweredRows) -> None:
        self.appends.append(rows)

    @property
    def request_ids(self) -> list[str]:
        """The request id of every row, in the order of the appends."""
        return [request_id for rows in self.appends for request_id in rows.request_ids]

    @property
    def rows(self) -> list[tuple[str, int]]:
        """Request id and number of every row, in the order of the appends."""
        return [
            (request_id, row)
            for one in self.appends
            for request_id, row in zip(one.request_ids, np.asarray(one.rows).tolist(), strict=True)
        ]


class BlockedLog(MemoryLog):
    """Its first append waits until it is unblocked, as on a slow disk, and the model with it.

    Args:
        model: The only model whose rows wait; empty for all.
    """

    def __init__(self, model: str = "") -> None:
        super().__init__()
        self._model = model
        self.is_blocked = threading.Event()
        self.unblock = threading.Event()

    def append(self, rows: AnsweredRows) -> None:
        if self._model in ("", rows.model):
            self.is_blocked.set()
            assert self.unblock.wait(30)
        super().append(rows)


class FullDisk:
    """Refuses every append."""

    def append(self, rows: AnsweredRows) -> None:
        raise OSError(28, "No space left on device")
