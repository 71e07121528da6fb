"""What a run of one row takes in each version: some rows of each window, by both in turns, in the dark."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.atomic import write_text
from monitoring.rollout.evidence.paired_sums import PairedSums
from monitoring.rollout.scoring import Scorer
from monitoring.traffic.windows import Window

#: Rows of a window that are timed at most, those that are timed in one pass, and those that a percentile needs.
ROWS, AT_ONCE, ENOUGH = 500, 50, 200

#: The percentile that is compared.
QUANTILE = 0.99

_FILE = "latencies.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionCost:
    """What a version costs: microseconds of a run of one row, and bytes of memory.

    Attributes:
        p50_us: The median; None without rows.
        p99_us: The 99th percentile; None without rows.
        memory_bytes: The memory of its process; 0 if that is not known.
    """

    p50_us: float | None
    p99_us: float | None
    memory_bytes: int


@dataclass(slots=True)
class LatencySample:
    """The times of both versions on some rows of each window, kept in a file.

    Both run the same rows, each by itself, in turns on the same machine: what the machine does meanwhile happens to
    both.

    Attributes:
        times: By the start of the window, the times of the candidate and of the champion, in microseconds.
    """

    folder: Path
    times: dict[str, tuple[list[int], list[int]]] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> LatencySample:
        """The sample of a folder; empty where there is none, or its file is damaged."""
        try:
            document = json.loads((folder / _FILE).read_text("utf-8"))
            times = {str(at): (list(map(int, ours)), list(map(int, theirs))) for at, (ours, theirs) in document.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            times = {}
        return cls(folder=folder, times=times)

    def take(self, window: Window, now: datetime, rows: pa.Table, candidate: Scorer, champion: Scorer) -> None:
        """Time some rows of a window with both versions, unless enough were timed for so much of the window."""
        ours, theirs = self.times.setdefault(window.start.isoformat(), ([], []))
        by_now = math.ceil(ROWS * min((now - window.start) / (window.end - window.start), 1.0))
        wanted = min(AT_ONCE, by_now - len(ours), rows.num_rows)
        if wanted <= 0:
            return
        signature = rows["signature"][0].as_py()
        some = rows.filter(pc.equal(rows["signature"], signature)).slice(0, wanted)
        first, second = candidate.score(some, alone=True), champion.score(some, alone=True)
        if first.run_us is None or second.run_us is None:
            return
        both = first.answered & second.answered
        ours += first.run_us[both].tolist()
        theirs += second.run_us[both].tolist()
        self.folder.mkdir(parents=True, exist_ok=True)
        write_text(self.folder / _FILE, json.dumps(self.times), durable=False)

    def sums(self, window: datetime, ratio: float) -> PairedSums | None:
        """Which of the two is slow more often in a window.

        Slow is above `ratio` times the champion's 99th percentile in the windows before, so that no window decides what
        is slow in it.

        Returns:
            The sums of x = 1 where the candidate alone is slow, -1 where the champion alone is; None before there are
            enough rows.
        """
        name = window.isoformat()
        before = [duration for at, (_, times) in self.times.items() if at < name for duration in times]
        if name not in self.times or len(before) < ENOUGH:
            return None
        edge = ratio * float(np.quantile(before, QUANTILE))
        ours, theirs = (np.array(times) > edge for times in self.times[name])
        return PairedSums.of(ours.astype(np.float64) - theirs.astype(np.float64)) if ours.size else None

    def costs(self, memory: Sequence[int]) -> Mapping[str, VersionCost]:
        """What each version costs, over all windows.

        Args:
            memory: The memory of the candidate and of the champion, in bytes.
        """
        by_version = {}
        for place, name in enumerate(("candidate", "champion")):
            times = [duration for pair in self.times.values() for duration in pair[place]]
            p50, p99 = (float(np.quantile(times, share)) if times else None for share in (0.5, QUANTILE))
            by_version[name] = VersionCost(p50_us=p50, p99_us=p99, memory_bytes=memory[place])
        return by_version
