"""The candidate's answers to logged requests: a traffic log of their own, with the requests' ids and no inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa

from monitoring.atomic import lock_file
from monitoring.errors import CannotRun
from monitoring.rollout.log.paired_log import Chosen, unanswered
from monitoring.rollout.log.versions import Versions
from monitoring.rollout.scoring import CandidateAnswers, Scorer
from monitoring.sources.log_source import LogSource
from monitoring.timestamps import as_microseconds
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.id_keys import IdSet
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.writer import TrafficWriter
from monitoring.traffic.windows import Window

#: Segments are closed at this size: they are read as a whole while rows come.
SEGMENT_BYTES = 16 << 20


class CandidateLog:
    """A traffic log that a rollout writes. One process at a time; it may be killed at any moment.

    A row that is written twice, because a process died between the writing and what it noted of it, is read once.

    Args:
        folder: The log's folder, made where there is none.
    """

    def __init__(self, folder: Path, versions: Versions, *, clock: Callable[[], datetime]) -> None:
        self.folder = folder
        self._versions = versions
        self._clock = clock
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = (folder / ".lock").open("w", encoding="utf-8")
        except OSError as error:
            raise CannotRun(
                "The candidate's answers cannot be kept.",
                got=f"{folder}: {error.strerror}",
                expected="a folder that this user may write",
                fix="Name another one as `folder` of the [rollout] section.",
            ) from error
        if not lock_file(self._lock.fileno()):
            self._lock.close()
            raise CannotRun(
                "Another process works on this rollout.",
                got=str(folder),
                expected="one process at a time",
                fix="Wait for it to end, or end it: `pitfalls rollout stop`.",
            )
        try:
            self._writer = TrafficWriter(folder, clock=clock, segment_bytes=SEGMENT_BYTES)
        except CannotRun:
            self._lock.close()
            raise
        self._log = TrafficLog(folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ids(self, start: datetime, end: datetime) -> IdSet:
        """The ids of the rows with an event time in [start, end) that have been answered."""
        rows = self._log.read(
            model=self._versions.config.model.name,
            version=self._versions.candidate,
            start=start,
            end=end,
            columns=("prediction_id",),
        )
        return IdSet(rows["prediction_id"].combine_chunks() if rows.num_columns else pa.nulls(0, pa.string()))

    def append(self, rows: pa.Table, scored: CandidateAnswers) -> None:
        """Write answers; when this returns, they survive the death of the process.

        Raises:
            CannotRun: The disk fails.
        """
        if not rows.num_rows:
            return
        times = rows["event_time"].cast(pa.int64()).to_numpy()
        latencies = scored.run_us if scored.run_us is not None else np.zeros(rows.num_rows, dtype=np.int64)
        answered = AnsweredRows(
            model=self._versions.config.model.name,
            version=self._versions.candidate,
            signature=rows["signature"][0].as_py(),
            request_ids=rows["request_id"].to_pylist(),
            rows=rows["row"].to_numpy(),
            event_times_us=times,
            answered_at_us=as_microseconds(self._clock()),
            latencies_us=latencies,
            inputs={},
            outputs={name: np.ascontiguousarray(tensor) for name, tensor in scored.outputs.items()},
        )
        try:
            self._writer.append(answered)
        except OSError as error:
            raise CannotRun(
                "The candidate's answers cannot be written.",
                got=f"{self.folder}: {error.strerror}",
                expected="room on the disk",
                fix="Make room, and go on: nothing that was written is lost.",
            ) from error

    def close(self) -> None:
        """Close the log. Idempotent."""
        self._writer.close()
        self._lock.close()


@dataclass(slots=True)
class Answering:
    """A candidate at work."""

    champion: LogSource
    scorer: Scorer
    answers: CandidateLog
    rows: int = 0
    failures: dict[str, None] = field(default_factory=dict)
    _checked: bool = False

    def answer(self, window: Window, chosen: Chosen, after_each: Callable[[], None] = lambda: None) -> None:
        """Answer what is chosen and not answered yet of a window."""
        for rows in unanswered(self.champion, window, chosen, self.answers.ids(window.start, window.end)):
            if not self._checked:
                self.scorer.check(rows)
                self._checked = True
            scored = self.scorer.score(rows)
            self.answers.append(rows, scored)
            self.rows += rows.num_rows
            self.failures |= dict.fromkeys(scored.reasons)
            after_each()
