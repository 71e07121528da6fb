"""A sink: one traffic log that answers are written to, with counts and records of the rows that could not be."""

from __future__ import annotations

import logging
import threading
from typing import Protocol, final

import pyarrow as pa

from monitoring.errors import PitfallsError
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.log.gaps import Gap, LostRows

GAPS_KEPT = 100
_logger = logging.getLogger(__name__)


class RowWriter(Protocol):
    """Where a sink writes rows, such as `monitoring.traffic.log.writer.TrafficWriter`."""

    def append(self, rows: AnsweredRows) -> None:
        """Write the rows, all or none; OSError, PitfallsError or pa.ArrowException if they cannot be written."""


class GapWriter(Protocol):
    """Where a sink records gaps, such as `monitoring.traffic.log.gaps.GapFile`."""

    def write(self, gap: Gap) -> None:
        """Record the open gap as it is now; OSError if the disk fails."""

    def end(self) -> None:
        """End the open gap; OSError if there is no room for the record of another."""


@final
class LogSink:
    """Writes to one log and counts. Thread-safe.

    Args:
        gap_writer: Where gaps are recorded; None only counts them.
        refuses: Whether answers whose rows cannot be logged are not sent, so that nothing is lost.
    """

    def __init__(self, writer: RowWriter, gap_writer: GapWriter | None = None, *, refuses: bool = False) -> None:
        self._writer = writer
        self._gap_writer = gap_writer
        self._refuses = refuses
        self._lock = threading.Lock()
        self._unrecorded = False
        self._failing = False
        self.open_gap: Gap | None = None
        """What was lost since the log became unwritable; None while it can be written."""
        self.gaps: list[Gap] = []
        """Gaps that have ended, newest last, 100 at most."""
        self.rows_logged = 0
        self.rows_lost = 0
        self.rows_refused = 0

    def write(self, rows: AnsweredRows) -> bool:
        """Log a batch by one append. Never raises for a log that cannot be written."""
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
                fate = "requests are refused" if self._refuses else "answers are sent, and their rows counted as lost"
                _logger.warning("The traffic log cannot be written; %s: %s", fate, error)
            return not self._refuses
        with self._lock:
            self.rows_logged += rows.count
            if self._failing:
                self._failing = not self._end_gap()
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
        except OSError:  # retried at the next loss, and when the log can be written again
            self._unrecorded = True

    def _end_gap(self) -> bool:
        """End the gap. It stays open (False) while its record cannot be written, even if rows can."""
        ended = self.open_gap
        if ended is None:
            _logger.warning("The traffic log can be written again.")
            return True
        if self._unrecorded:
            self._record(ended)
        if self._unrecorded:
            return False
        if self._gap_writer is not None:
            try:
                self._gap_writer.end()
            except OSError as error:
                _logger.warning("There may be no room for the record of the next gap: %s", error)
        self.open_gap = None
        self.gaps = [*self.gaps, ended][-GAPS_KEPT:]
        _logger.warning("The traffic log can be written again. %s", ended)
        return True
