"""Every answered prediction into the traffic log, before its answer leaves.

A log that cannot be written must not fail the prediction: the rows are counted as lost, the gap is remembered with its
reason, and when the log can be written again the gap is reported in one line. No answer goes missing in silence.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, final

import numpy as np
import pyarrow as pa

from monitoring.errors import PitfallsError
from monitoring.traffic.rows import AnsweredRows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serving.signatures import Signature
    from serving.versions import Served

    Array = np.ndarray[Any, Any]

GAPS_KEPT = 100
_logger = logging.getLogger(__name__)


class RowWriter(Protocol):
    """What a capture writes to; `monitoring.traffic.log.TrafficWriter` is one."""

    def append(self, rows: AnsweredRows) -> None:
        """Write the rows, all or none."""


class Caller(NamedTuple):
    """Who asked and when, as far as the log cares. Times are microseconds since 1970, UTC.

    (A named tuple: made for every request, at a third of a frozen dataclass's cost.)
    """

    request_id: str
    event_time_us: int
    arrived_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredBatch:
    """One executed batch: whose rows it holds, what went in and what came out.

    The leading axis of every tensor counts ``sum(counts)`` rows, those of the first caller first.
    """

    served: Served
    signature: Signature
    callers: Sequence[Caller]
    counts: Sequence[int]
    inputs: Mapping[str, Array]
    outputs: Mapping[str, Array]
    answered_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A stretch of answers that are not in the log."""

    first_us: int
    last_us: int
    rows: int
    reason: str

    def __str__(self) -> str:
        first, last = (datetime.fromtimestamp(us / 1e6, UTC).isoformat() for us in (self.first_us, self.last_us))
        return f"{self.rows} answered rows between {first} and {last} are not in the traffic log: {self.reason}"


@final
class Capture:
    """Counts and logs what is answered. Without a writer it only counts. Thread-safe."""

    def __init__(self, writer: RowWriter | None) -> None:
        self._writer = writer
        self._lock = threading.Lock()
        self._open: Gap | None = None
        self.gaps: list[Gap] = []
        """Gaps that are over, newest last, the last 100 of them."""
        self.rows_logged = 0
        self.rows_lost = 0

    @property
    def writes(self) -> bool:
        """Whether there is a log at all."""
        return self._writer is not None

    def record(self, batch: AnsweredBatch) -> None:
        """Log a batch by one append; never raises for a log that cannot be written."""
        if self._writer is None or not sum(batch.counts):
            return
        rows = _rows(batch)
        try:
            self._writer.append(rows)
        except (OSError, PitfallsError, pa.ArrowException) as error:
            self._lose(rows.count, batch.answered_us, str(error))
        else:
            with self._lock:
                self.rows_logged += rows.count
                over, self._open = self._open, None
            if over is not None:
                self.gaps = [*self.gaps, over][-GAPS_KEPT:]
                _logger.warning("The traffic log can be written again. %s", over)

    @property
    def open_gap(self) -> Gap | None:
        """What has been lost since the log stopped taking rows; None while it takes them."""
        return self._open

    def _lose(self, rows: int, answered_us: int, reason: str) -> None:
        with self._lock:
            self.rows_lost += rows
            before = self._open
            self._open = Gap(
                first_us=answered_us if before is None else before.first_us,
                last_us=answered_us,
                rows=rows if before is None else before.rows + rows,
                reason=reason,
            )
        if before is None:
            _logger.error("The traffic log cannot be written; answers go on and are counted as lost: %s", reason)


def _rows(batch: AnsweredBatch) -> AnsweredRows:
    callers, counts = batch.callers, batch.counts
    event_times = np.array([one.event_time_us for one in callers], np.int64)
    latencies = np.array([max(0, batch.answered_us - one.arrived_us) for one in callers], np.int64)
    if max(counts) == 1 == min(counts):
        request_ids = [one.request_id for one in callers]
        rows = np.zeros(len(callers), np.int32)
    else:
        request_ids = [one.request_id for one, count in zip(callers, counts, strict=True) for _ in range(count)]
        first = np.cumsum(counts, dtype=np.int32) - np.array(counts, np.int32)
        rows = np.arange(len(request_ids), dtype=np.int32) - np.repeat(first, counts)
        event_times, latencies = np.repeat(event_times, counts), np.repeat(latencies, counts)
    return AnsweredRows(
        model=batch.served.model,
        version=batch.served.number,
        signature=batch.signature.name,
        request_ids=request_ids,
        rows=rows,
        event_times_us=event_times,
        answered_at_us=batch.answered_us,
        latencies_us=latencies,
        inputs=batch.inputs,
        outputs=batch.outputs,
    )
