"""Which share of the rows a shadow answers, by their time: lowered when it cannot keep up, and never in silence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.records import RolloutRecord
from monitoring.rollout.evidence.assignment import assigned
from monitoring.rollout.rollout_settings import setting
from monitoring.timestamps import as_microseconds

#: A share is never lowered below this part of the planned one.
LEAST_PART = 1.0 / 64.0

#: Of the time that passes, the part that a shadow may take to answer it: above, it cannot keep up; below, it could do
#: more.
TOO_SLOW, FAST = 0.9, 0.2

#: So many passes in a row are slow, or fast, before the share is changed.
PASSES = 3

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """The share of rows by event time: rows are chosen by a hash of their ids, whatever they hold.

    Rows that are chosen at a smaller share are chosen at every larger one, so a share may change at any minute without
    choosing other rows.

    >>> from datetime import UTC
    >>> shares = Shares(salt="a", steps=((datetime(2026, 3, 1, tzinfo=UTC), 0.5),))
    >>> shares.lowered(datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)).steps[-1]
    (datetime.datetime(2026, 3, 1, 12, 1, tzinfo=datetime.timezone.utc), 0.25)
    """

    salt: str
    steps: tuple[tuple[datetime, float], ...]

    @property
    def planned(self) -> float:
        """The share that was planned: the first."""
        return self.steps[0][1]

    @property
    def now(self) -> float:
        """The share that holds last."""
        return self.steps[-1][1]

    def __call__(self, ids: pa.Array, event_us: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of some rows the shadow is to answer, [n]; those from before the first step are none of them."""
        mask = np.zeros(len(ids), dtype=np.bool_)
        starts = np.array([as_microseconds(at) for at, _ in self.steps], dtype=np.int64)
        step_of = np.searchsorted(starts, event_us, side="right") - 1
        for place, (_, share) in enumerate(self.steps):
            rows = np.flatnonzero(step_of == place)
            if rows.size:
                some = ids if rows.size == len(ids) else ids.take(pa.array(rows))
                mask[rows] = assigned(self.salt, some, share)
        return mask

    def lowered(self, now: datetime) -> Shares:
        """Half of the share, from the next minute on."""
        return self._changed(now, max(self.now / 2.0, self.planned * LEAST_PART))

    def raised(self, now: datetime) -> Shares:
        """Twice the share, at most the planned one, from the next minute on."""
        return self._changed(now, min(self.now * 2.0, self.planned))

    def _changed(self, now: datetime, share: float) -> Shares:
        at = now.replace(second=0, microsecond=0) + _MINUTE
        earlier = [step for step in self.steps if step[0] < at]
        return self if share == self.now else Shares(salt=self.salt, steps=(*earlier, (at, share)))


@dataclass(slots=True)
class Pace:
    """Whether a shadow keeps up, by what its last passes took."""

    slow: int = 0
    fast: int = 0

    def passed(self, took_s: float, covered_s: float) -> int:
        """Note a pass. Returns -1 if the share is to be lowered, 1 if it may be raised, else 0."""
        part = took_s / covered_s if covered_s > 0.0 else 0.0
        self.slow = self.slow + 1 if part > TOO_SLOW else 0
        self.fast = self.fast + 1 if part < FAST else 0
        if self.slow >= PASSES:
            self.slow = 0
            return -1
        if self.fast >= 4 * PASSES:
            self.fast = 0
            return 1
        return 0


def shares_of(record: RolloutRecord) -> Shares:
    """The shares of a rollout as they are known so far."""
    steps = setting(record.settings, "shares")
    if steps is None:
        return Shares(salt=record.salt, steps=((record.started_at, record.share),))
    share_steps = tuple((datetime.fromisoformat(str(at)), float(share)) for at, share in steps)
    return Shares(salt=record.salt, steps=share_steps)


def steps_document(shares: Shares) -> list[list[str | float]]:
    """The steps of shares as settings have them."""
    return [[at.isoformat(), share] for at, share in shares.steps]
