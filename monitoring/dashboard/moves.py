"""How far watches of inputs and outputs have moved from the baseline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from monitoring.records import WHOLE, BaselineScore, WindowRecord

#: How watches of inputs and outputs are called.
PREFIXES = ("input:", "output:", "missing:", "unseen:", "joint", "unusable")

#: How many are shown, and from how many standard deviations on.
MOST = 6
SMALLEST = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A watch's change from its baseline, in standard deviations between the baseline's windows."""

    baseline: BaselineScore
    mean: float
    deviations: float


def moves(last: Sequence[WindowRecord], baseline: Sequence[BaselineScore]) -> tuple[Move, ...]:
    """Watches of inputs and outputs by the size of their change over the last windows, the largest first.

    Args:
        last: The last windows, with their scores.
        baseline: The baseline scores.

    Returns:
        One for each watch that has a baseline and a score, if it moved by `SMALLEST`; at most `MOST`.
    """
    values: dict[str, list[float]] = {}
    for window in last:
        for one in window.scores:
            if one.slice == WHOLE and one.value is not None and one.watch.startswith(PREFIXES):
                values.setdefault(one.watch, []).append(one.value)
    found = []
    for known in baseline:
        scored = values.get(known.watch)
        if known.slice != WHOLE or not scored:
            continue
        mean = math.fsum(scored) / len(scored)
        size = abs(mean - known.mean) / max(known.deviation, known.tolerance, 1e-9)
        found.append(Move(baseline=known, mean=mean, deviations=size))
    found.sort(key=lambda one: (-one.deviations, one.baseline.watch))
    return tuple(one for one in found[:MOST] if one.deviations >= SMALLEST)
