"""Windows until an incident is closed, when its harm has ended and when it has not."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import Cell, Table
from monitoring.evidence.betting import RecoveryTest, shiryaev_roberts_step
from monitoring.incidents.life_cycle import HARM_LEFT

THRESHOLD = 365.0

#: Sizes of the harm that opened the incident, in standard deviations of a window's score.
RISES = (1.0, 2.0, 3.0, 5.0, 10.0, 50.0)

#: Maximum windows until the incident is closed: for a harm of which half remains, and for others.
LONGEST, YEAR = 1500, 365


def recovery_table(streams: int, seed: int) -> Table:
    """Table of closed incidents where half of the harm remains, all of it, or none. Cost: 20 s for 300 streams."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[Cell, ...]] = []
    for rise in RISES:
        half = _windows_to_close(rise, HARM_LEFT, rng.normal(size=(streams, LONGEST)))
        whole = _windows_to_close(rise, 1.0, rng.normal(size=(max(streams // 5, 10), YEAR)))
        gone = _windows_to_close(rise, 0.0, rng.normal(size=(streams, YEAR)))
        error = float(half.std(ddof=1) / np.sqrt(half.size))
        share = float((whole <= YEAR).mean())
        rows.append(
            (f"{rise:g} SD", float(half.mean()), error, share, *(float(np.quantile(gone, q)) for q in (0.5, 0.9)))
        )
    return Table(
        title="Recovery: windows until an incident is closed, at a threshold of 365",
        columns=("harm", "half remains: mean", "± SE", "all remains: closed in 365", "gone: median", "nine of ten"),
        rows=tuple(rows),
        note=(
            f"{streams} incidents per row, independent normal scores. With half of the harm, an incident stays open"
            f" for at least 365 windows on average; one that is open after {LONGEST:,} windows counts as that many."
        ),
    )


def _windows_to_close(rise: float, share_left: float, noise: NDArray[np.float64]) -> NDArray[np.int64]:
    """Window in which each incident is closed, one past the last if it is not; `share_left` of the harm remains."""
    return np.fromiter(_close_times(rise, share_left, noise), dtype=np.int64)


def _close_times(rise: float, share_left: float, noise: NDArray[np.float64]) -> Iterator[int]:
    test = RecoveryTest(mean=0.0, std=1.0, boundary=HARM_LEFT * rise)
    for stream in noise:
        log_m = np.full(len(test.log_e_values(0.0)), -np.inf)
        closed = len(stream) + 1
        for window, off in enumerate(stream.tolist(), start=1):
            log_m = shiryaev_roberts_step(log_m, test.log_e_values(share_left * rise + off))
            if float(np.exp(log_m).mean()) >= THRESHOLD:
                closed = window
                break
        yield closed
