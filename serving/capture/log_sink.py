"""A sink: one traffic log that answers go to, with what it could not take counted and recorded."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Protocol, final

import pyarrow as pa

from monitoring.errors import PitfallsError
from monitoring.traffic.log.gaps import Gap, LostRows

if TYPE_CHECKING:
    from monitoring.traffic.format.rows import AnsweredRows

GAPS_KEPT = 100
_logger = logging.getLogger(__name__)


class RowWriter(Protocol):
    """What a sink writes to; `monitoring.traffic.log.writer.TrafficWriter` is one."""

    def append(self, rows: AnsweredRows) -> None:
        """Write the rows, all or none."""


class GapWriter(Protocol):
    """Where gaps are recorded; `monitoring.traffic.log.gaps.GapFile` is one."""

    def write(self, gap: Gap) -> None:
        """Record the open gap as it is by now. Raises OSError."""

    def end(self) -> None:
        """The open gap is over. Raises OSError."""


@final
class LogSink:
    """Writes to one log and counts. Thread-safe.

    ``refuses`` is whether rows that the log cannot take are kept from leaving, and so are not lost.
    """

    def __init__(self, writer: RowWriter, gap_writer: GapWriter | None = None, *, refuses: bool = False) -> None:
        self._writer = writer
        self._gap_writer = gap_writer
        self._refuses = refuses
        self._lock = threading.Lock()
        self._unrecorded = False
        self._failing = False
        self.open_gap: Gap | None = None
        """What has been lost since the log stopped taking rows; None while it takes them."""
        self.gaps: list[Gap] = []
        """Gaps that are over, newest last, the last 100 of them."""
        self.rows_logged = 0
        self.rows_lost = 0
        self.rows_refused = 0

    def write(self, rows: AnsweredRows) -> bool:
        """Log a batch by one append; never raises for a log that cannot be written. Whether the answers may leave."""
        try:
            self._writer.append(rows)
        except (OSError, PitfallsError, pa.ArrowException) as error:
            with self._lock:
                first, self._failing = not self._failing, True
                if self._refuses:
                    self.rows_refused += rows.count
                else:
                    self._lose(rows, str(error))
            if first:
                fate = "answers are refused" if self._refuses else "answers go on and are counted as lost"
                _logger.warning("The traffic log cannot be written; %s: %s", fate, error)
            return not self._refuses
        with self._lock:
            self.rows_logged += rows.count
            if self._failing:
                self._failing = not self._go_on()
        return True

    def _lose(self, rows: AnsweredRows, reason: str) -> None:
        lost = LostRows(
            model=rows.model,
            version=rows.version,
            rows=rows.count,
            first_event_us=int(min(rows.event_times_us)),
            last_event_us=int(max(rows.event_times_us)),
        )
        at_us = rows.answered_at_us
        self.rows_lost += rows.count
        gap = self.open_gap or Gap(first_us=at_us, last_us=at_us, reason=reason, lost=())
        self.open_gap = gap.with_lost(lost, at_us)
        self._record(self.open_gap)

    def _record(self, gap: Gap) -> None:
        if self._gap_writer is None:
            return
        try:
            self._gap_writer.write(gap)
            self._unrecorded = False
        except OSError:  # it is tried again at the next loss, and when the log takes rows again
            self._unrecorded = True

    def _go_on(self) -> bool:
        """Ends the gap; False if its record does not fit yet, though rows do: then it stays open."""
        over = self.open_gap
        if over is None:
            _logger.warning("The traffic log can be written again.")
            return True
        if self._unrecorded:
            self._record(over)
        if self._unrecorded:
            return False
        if self._gap_writer is not None:
            try:
                self._gap_writer.end()
            except OSError as error:
                _logger.warning("The record of the next gap may have no room: %s", error)
        self.open_gap = None
        self.gaps = [*self.gaps, over][-GAPS_KEPT:]
        _logger.warning("The traffic log can be written again. %s", over)
        return True
