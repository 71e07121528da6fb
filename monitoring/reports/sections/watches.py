"""Every watch in one line: its baseline, its latest score, and its share of the evidence."""

from __future__ import annotations

import math
from dataclasses import dataclass

from monitoring.records import BaselineScore, Level, MonitorStatus, ScoreRecord
from monitoring.reports.sections.formatting import format_evidence
from monitoring.watches.descriptions import NOTHING, format_amount, format_value, slice_title, watch_title

#: What a cycle goes by.
CYCLES = {"day": "daily", "week": "weekly"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchRow:
    """`share` is the watch's share, in [0, 1], of the sum of its level's e-values after the latest window."""

    level: Level
    name: str
    slice: str
    baseline: str
    latest: str
    evidence: str
    share: float


def watch_rows(status: MonitorStatus) -> tuple[WatchRow, ...]:
    """Tabulate every watch of the baseline or of any window.

    The share is taken among the watches' own e-values, before the budget's weights.

    Returns:
        Watches of pages first, within a level by share, then by name.
    """
    latest: dict[tuple[Level, str, str], ScoreRecord] = {}
    valued: dict[tuple[Level, str, str], float] = {}
    for window in status.windows:
        for score in window.scores:
            key = (score.level, score.watch, score.slice)
            latest[key] = score
            if score.value is not None:
                valued[key] = score.value
    baseline = {(score.level, score.watch, score.slice): score for score in status.baseline}
    shares = _shares(latest)
    rows = []
    for key in dict.fromkeys([*baseline, *latest]):
        level, watch, part = key
        before = baseline.get(key)
        rows.append(
            WatchRow(
                level=level,
                name=watch_title(watch),
                slice=slice_title(part),
                baseline=_baseline(before) if before else NOTHING,
                latest=format_value(watch, valued.get(key)),
                evidence=format_evidence(latest[key].log_evidence) if key in latest else "0",
                share=shares.get(key, 0.0),
            )
        )
    return tuple(sorted(rows, key=lambda row: (row.level != "page", -row.share, row.name, row.slice)))


def _baseline(before: BaselineScore) -> str:
    """The baseline's mean and standard deviation, and the cycle that was removed."""
    text = f"{format_value(before.watch, before.mean)} ± {format_amount(before.watch, before.deviation)}"
    if not before.cycle:
        return text
    return f"{text} after removing the {CYCLES[before.cycle]} cycle (signal to noise {before.gain:.1f} times higher)"


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
