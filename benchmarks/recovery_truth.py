"""How soon an incident is closed when its harm is over, and how late when it is not."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import Cell, Table
from monitoring.evidence.betting import RecoveryTest
from monitoring.evidence.e_detector import shiryaev_roberts_step
from monitoring.incidents.life_cycle import HARM_LEFT

THRESHOLD = 365.0

#: Sizes of the harm that opened the incident, in deviations of a window's score.
RISES = (1.0, 2.0, 3.0, 5.0, 10.0, 50.0)

#: Windows that are waited for an all-clear, at most: of a harm of which half stays, and of any other.
LONGEST, YEAR = 1500, 365


def recovery_table(streams: int, seed: int) -> Table:
    """All-clears where half of the harm stays, all of it, or none. Cost: some 20 s for 300 streams."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[Cell, ...]] = []
    for rise in RISES:
        half = _closed(rise, HARM_LEFT, rng.normal(size=(streams, LONGEST)))
        whole = _closed(rise, 1.0, rng.normal(size=(max(streams // 5, 10), YEAR)))
        gone = _closed(rise, 0.0, rng.normal(size=(streams, YEAR)))
        error = float(half.std(ddof=1) / np.sqrt(half.size))
        share = float((whole <= YEAR).mean())
        rows.append(
            (f"{rise:g} SD", float(half.mean()), error, share, *(float(np.quantile(gone, q)) for q in (0.5, 0.9)))
        )
    return Table(
        title="From harm to all-clear: windows until an incident is closed, at a threshold of 365",
        columns=("harm", "half stays: mean", "± SE", "all stays: closed in 365", "gone: median", "nine of ten"),
        rows=tuple(rows),
        note=(
            f"{streams} incidents a row, independent normal scores. Half of a harm may stay for 365 windows on average "
            f"and more; one that is not called over after {LONGEST:,} counts as of so many."
        ),
    )


def _closed(rise: float, left: float, noise: NDArray[np.float64]) -> NDArray[np.int64]:
    """The window of each incident's all-clear, one past the last where there was none; `left` of the harm stays."""
    return np.fromiter(_each(rise, left, noise), dtype=np.int64)


def _each(rise: float, left: float, noise: NDArray[np.float64]) -> Iterator[int]:
    test = RecoveryTest(mean=0.0, std=1.0, boundary=HARM_LEFT * rise)
    for stream in noise:
        log_m = np.full(len(test.log_e_values(0.0)), -np.inf)
        closed = len(stream) + 1
        for window, off in enumerate(stream.tolist(), start=1):
            log_m = shiryaev_roberts_step(log_m, test.log_e_values(left * rise + off))
            if float(np.exp(log_m).mean()) >= THRESHOLD:
                closed = window
                break
        yield closed
