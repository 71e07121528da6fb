"""One pass of a rollout's worker."""

from __future__ import annotations

from dataclasses import dataclass

from monitoring.records import RolloutEvent, RolloutRecord
from monitoring.rollout.life import Next


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What one pass did."""

    record: RolloutRecord
    answered: int
    counted: int
    do: Next = ""
    events: tuple[RolloutEvent, ...] = ()
