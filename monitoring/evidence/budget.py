"""The false-alarm budget of a deployment, and how its watches share it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from monitoring.errors import BadInput
from monitoring.records import WHOLE, WatchKey

#: exp(700) is near the largest float.
_LARGEST_LOG = 700.0

_BUDGET = re.compile(r"\s*(\d+)\s+(?:per|in)\s+(\d+)\s+windows?\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """At most `alarms` false alarms per `windows` windows, on average, for the deployment as a whole.

    >>> Budget.parse("1 per 365 windows").threshold
    365.0
    """

    alarms: int
    windows: int

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Read a budget from text. `text`: for example ``"1 per 365 windows"``."""
        match = _BUDGET.fullmatch(text)
        if match is None or int(match[1]) < 1 or int(match[2]) <= int(match[1]):
            raise BadInput(
                "Not a budget of false alarms.",
                got=repr(text),
                expected='"N per W windows" with 1 <= N < W',
                fix='Write, for example, "1 per 365 windows".',
            )
        return cls(alarms=int(match[1]), windows=int(match[2]))

    @property
    def threshold(self) -> float:
        """The evidence A at which the level alarms: the average run length guaranteed, in windows."""
        return self.windows / self.alarms

    def __str__(self) -> str:
        return f"{self.alarms} per {self.windows} windows"


def weights(keys: Iterable[WatchKey], groups: Mapping[str, str] | None = None) -> dict[WatchKey, float]:
    """Weights π_k of a level's watches, summing to 1: half for the whole traffic, half for the slices.

    Within each half every group has the same weight, divided equally among its watches, so that an input of many
    categories does not outweigh a number.

    Args:
        groups: Maps a watch's name to its group; a watch without one is a group of its own.

    Returns:
        The weight of each watch, in the order of `keys`.

    >>> shares = weights(
    ...     [WatchKey(watch="brier"), WatchKey(watch="error"), WatchKey(watch="brier", slice="origin=EWR")]
    ... )
    >>> [(str(key), share) for key, share in shares.items()]
    [('brier', 0.25), ('error', 0.25), ('brier [origin=EWR]', 0.5)]
    """
    ordered = tuple(dict.fromkeys(keys))
    members: dict[bool, dict[tuple[str, str], list[WatchKey]]] = {True: {}, False: {}}
    for key in ordered:
        group = (groups or {}).get(key.watch, key.watch)
        members[key.slice == WHOLE].setdefault((group, key.slice), []).append(key)
    sides = [side for side in members.values() if side]
    shares: dict[WatchKey, float] = {}
    for side in sides:
        for group_keys in side.values():
            for key in group_keys:
                shares[key] = 1.0 / len(sides) / len(side) / len(group_keys)
    return {key: shares[key] for key in ordered}


def log_level_evidence(log_evidence: Mapping[WatchKey, float], shares: Mapping[WatchKey, float]) -> float:
    """The log evidence of a level, ``log E = log Σ_k π_k M_k``. Returns the log; -inf while no watch has any evidence.

    Summed by `math.fsum`, so that the order of the watches does not change a bit.

    >>> key = WatchKey(watch="brier")
    >>> log_level_evidence({key: math.log(4.0)}, {key: 0.5}) == math.log(2.0)
    True
    """
    terms = [math.log(share) + value for key, value in log_evidence.items() if (share := shares.get(key, 0.0)) > 0.0]
    top = max(terms, default=-math.inf)
    if top == -math.inf:
        return -math.inf
    return top + math.log(math.fsum(math.exp(value - top) for value in terms))


def ranking(
    log_evidence: Mapping[WatchKey, float], shares: Mapping[WatchKey, float]
) -> tuple[tuple[WatchKey, float], ...]:
    """Each watch's share of the level's evidence, largest first: the first one names an alarm.

    Returns:
        Pairs of a watch and its share, which sum to 1; empty while there is no evidence.
    """
    total = log_level_evidence(log_evidence, shares)
    if total == -math.inf:
        return ()
    parts = [
        (key, math.exp(math.log(share) + value - total))
        for key, value in log_evidence.items()
        if (share := shares.get(key, 0.0)) > 0.0
    ]
    return tuple(sorted(parts, key=lambda part: (-part[1], str(part[0]))))


def finite_evidence(log_evidence: float) -> float:
    """Convert evidence to a finite float. Returns the evidence: 0 for a log of -inf, and capped near the largest float.

    >>> finite_evidence(-math.inf), round(finite_evidence(0.0), 6), math.isfinite(finite_evidence(1e6))
    (0.0, 1.0, True)
    """
    return math.exp(min(log_evidence, _LARGEST_LOG)) if not math.isnan(log_evidence) else 0.0
