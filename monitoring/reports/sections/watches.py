"""Every watch in one line: what the baseline knew, what was seen last, and how much of the evidence is its."""

from __future__ import annotations

import math
from dataclasses import dataclass

from monitoring.records import BaselineScore, Level, MonitorStatus, ScoreRecord
from monitoring.reports.sections.formatting import format_evidence
from monitoring.watches.descriptions import NOTHING, format_value, slice_title, watch_title

#: What a cycle goes by, in words.
CYCLES = {"day": "time of day", "week": "time of week"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchRow:
    """`share` is the watch's part, in [0, 1], of the sum of its level's evidences as last seen."""

    level: Level
    name: str
    slice: str
    baseline: str
    latest: str
    evidence: str
    share: float


def watch_rows(status: MonitorStatus) -> tuple[WatchRow, ...]:
    """Every watch of the baseline or of any window: pages first, within a level by share, then by name.

    The share is taken among the watches' own evidences, before the weights by which the budget shares them out.
    """
    latest: dict[tuple[Level, str, str], ScoreRecord] = {}
    valued: dict[tuple[Level, str, str], float] = {}
    for window in status.windows:
        for score in window.scores:
            key = (score.level, score.watch, score.slice)
            latest[key] = score
            if score.value is not None:
                valued[key] = score.value
    known = {(score.level, score.watch, score.slice): score for score in status.baseline}
    shares = _shares(latest)
    rows = []
    for key in dict.fromkeys([*known, *latest]):
        level, watch, part = key
        before = known.get(key)
        rows.append(
            WatchRow(
                level=level,
                name=watch_title(watch),
                slice=slice_title(part),
                baseline=_known(before) if before else NOTHING,
                latest=format_value(watch, valued.get(key)),
                evidence=format_evidence(latest[key].log_evidence) if key in latest else "0",
                share=shares.get(key, 0.0),
            )
        )
    return tuple(sorted(rows, key=lambda row: (row.level != "page", -row.share, row.name, row.slice)))


def _known(before: BaselineScore) -> str:
    """The baseline's mean and deviation, and the cycle that was taken out."""
    words = f"{format_value(before.watch, before.mean)} ± {format_value(before.watch, before.deviation)}"
    return f"{words} by {CYCLES[before.cycle]}, {before.gain:.1f} times clearer" if before.cycle else words


def _shares(latest: dict[tuple[Level, str, str], ScoreRecord]) -> dict[tuple[Level, str, str], float]:
    shares: dict[tuple[Level, str, str], float] = {}
    for level in ("page", "notice"):
        logs = {key: score.log_evidence for key, score in latest.items() if key[0] == level}
        top = max(logs.values(), default=-math.inf)
        if top == -math.inf:
            continue
        parts = {key: math.exp(log - top) for key, log in logs.items()}
        total = math.fsum(parts.values())
        shares |= {key: part / total for key, part in parts.items()}
    return shares
