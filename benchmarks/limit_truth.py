"""Delays beside the limit: the CUSUM that is told both laws, at the run length that this monitor itself has there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.law_truth import LAWS, SPREAD, TOGETHER, Sizes, fresh_baselines, memory_of, paged
from benchmarks.level_streams import Alarms
from benchmarks.results import Cell, Table
from benchmarks.rules import calibrated

#: Laws of normals, whose best test is known, and numbers of baseline windows.
NAMES = ("normal", "normal, AR(1) .3", "normal, AR(1) .5", "normal, AR(1) .7")
BASELINES = (20, 40, 90, 365)
RISES = (1.0, 2.0, 3.0, 4.0, 5.0)

#: What is wanted of a median: so many times the limit's, or so many windows more.
TIMES, MORE = 1.5, 1.0

#: Quiet windows that a CUSUM is set by: streams, and windows in each. A harmed stream has so many windows.
QUIET = (400, 10_000)
LONGEST = 120


def limit_table(streams: int, seed: int) -> Table:
    """Median delays of one watch on fresh baselines, and of the limit. Cost: a minute for 1,500 streams."""
    rng = np.random.default_rng(seed)
    quiet = rng.normal(size=(QUIET[0], QUIET[1] * min(streams, 1500) // 1500))
    rows: list[tuple[Cell, ...]] = []
    for name in NAMES:
        memory = memory_of(name)
        for windows in BASELINES:
            sizes = Sizes(watches=10 * streams, streams=2, windows=365)
            run_length = fresh_baselines(LAWS[name], windows, 1, sizes, rng).ours.run_length
            known, live = LAWS[name](rng, streams, windows), LAWS[name](rng, streams, LONGEST)
            cells: list[Cell] = []
            met = 0
            for rise in RISES:
                moved = live + rise * SPREAD / np.sqrt(1.0 - memory**2)
                parts = range(0, streams, TOGETHER)
                at = [paged(known[p : p + TOGETHER, None], moved[None, p : p + TOGETHER]) for p in parts]
                ours = Alarms(at=np.concatenate(at)).median_delay
                told = _told(rise, memory, quiet, run_length, rng.normal(size=(streams, LONGEST)))
                met += within_reach(ours, told)
                cells.append(f"{f'>{LONGEST}' if ours is None else f'{ours:.0f}'} / {told:.0f}")
            rows.append((name, windows, run_length, *cells, f"{met} of {len(RISES)}"))
    return Table(
        title="Beside the limit at the same run length: median delay of this monitor / of a CUSUM told both laws",
        columns=(
            "law of window scores",
            "R",
            "windows per page",
            *(f"+{rise:.0f} SD" for rise in RISES),
            "within reach",
        ),
        rows=tuple(rows),
        note=(
            f"One watch, {streams:,} streams of {LONGEST} windows, each on a fresh baseline of R windows, harmed from "
            f"the first window on. The CUSUM is told both laws and the memory, and set to the same run length. Within "
            f"reach: at most {TIMES} times its median, or {MORE:.0f} window more."
        ),
    )


def within_reach(ours: float | None, limit: float) -> bool:
    """Whether a median delay is near enough to the limit's.

    >>> within_reach(13.0, 9.0), within_reach(2.0, 1.0), within_reach(5.0, 3.0), within_reach(None, 9.0)
    (True, True, False, False)
    """
    return ours is not None and ours <= max(TIMES * limit, limit + MORE)


def _told(
    rise: float, memory: float, quiet: NDArray[np.float64], run_length: float, noise: NDArray[np.float64]
) -> float:
    """The CUSUM's median delay on innovations; the first harmed window is seen whole, those after less the memory."""
    whole = rise / np.sqrt(1.0 - memory**2)
    innovations = noise + whole * (1.0 - memory)
    innovations[:, 0] += whole * memory
    found = calibrated(whole * (1.0 - memory), quiet, run_length).alarms(innovations).median_delay
    return float("inf") if found is None else found
