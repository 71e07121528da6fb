"""How often the watches on which rows get their label speak where labels come for all alike, and how soon where not.

Windows of rows whose scores fall into quarters; each row's label comes or does not. The four watches stand alone under
the whole of their level's budget. Windows are drawn as counts, which is all that the watches see of rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.level_streams import Alarms
from benchmarks.results import Cell, Result, Settings, Table
from monitoring.evidence.autocorrelation import level_ar1
from monitoring.evidence.conformal import ConformalTest
from monitoring.evidence.sampling_variance import SamplingVariance
from monitoring.evidence.simulation import VectorizedTests
from monitoring.judging.fit.tolerances import Tolerances
from monitoring.watches.label_coverage import QUARTERS, CoverageGroups

SEED = 20_130_404
STREAMS = 100
THRESHOLD = 30
WINDOWS = 365

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What one row of the table is about.

    `rate` is the share of rows whose label comes in time, `known` that in the baseline; `spread` is by how much a
    window's own rate departs from it, up or down, for all of its rows. `mix` moves rows between quarters from window to
    window: a Dirichlet law of that many pseudo-rows; 0 keeps the quarters equal. `lost` of the labels of the highest
    quarter do not come.
    """

    name: str
    rows: int
    known: float = 1.0
    rate: float = 1.0
    spread: float = 0.0
    mix: float = 0.0
    lost: float = 0.0
    baseline: int = 90


STREAMS_OF_LABELS = (
    Labels(name="every label comes", rows=200),
    Labels(name="half of the labels come", rows=200, rate=0.5),
    Labels(name="half, and half in the baseline", rows=200, rate=0.5, known=0.5),
    Labels(name="half, baseline of 20 windows", rows=200, rate=0.5, known=0.5, baseline=20),
    Labels(name="one of ten, and so in the baseline", rows=200, rate=0.1, known=0.1),
    Labels(name="one of ten, every one in the baseline", rows=200, rate=0.1),
    Labels(name="one of ten, of 2,000 rows", rows=2000, rate=0.1),
    Labels(name="10 to 90 % from window to window", rows=200, rate=0.5, known=0.5, spread=0.4),
    Labels(name="half, and scores that move", rows=200, rate=0.5, known=0.5, mix=10.0),
    Labels(name="a quarter of the highest quarter's lost", rows=200, lost=0.25),
    Labels(name="half of the highest quarter's lost", rows=200, lost=0.5),
    Labels(name="all of the highest quarter's lost", rows=200, lost=1.0),
    Labels(name="half come, half of the highest's lost", rows=200, rate=0.5, known=0.5, lost=0.5),
    Labels(name="one of ten, half of the highest's lost", rows=200, rate=0.1, known=0.1, lost=0.5),
    Labels(name="one of ten, every one in the baseline, half lost", rows=200, rate=0.1, lost=0.5),
    Labels(name="one of ten, every one in the baseline, all lost", rows=200, rate=0.1, lost=1.0),
)


def measure(settings: Settings) -> Result:
    """A row for each stream. Cost: some minutes; a tenth of that with `quick`."""
    streams = STREAMS // 10 if settings.quick else STREAMS
    rows: list[tuple[Cell, ...]] = []
    for place, labels in enumerate(STREAMS_OF_LABELS):
        at = alarms(labels, streams, np.random.default_rng([SEED, place]))
        per_stream = at.at.mean(axis=1) * THRESHOLD
        rows.append(
            (
                labels.name,
                labels.rows,
                labels.baseline,
                float(per_stream.mean()),
                float(per_stream.std(ddof=1) / np.sqrt(streams)),
                at.share_with_any(THRESHOLD),
                at.median_delay if labels.lost else None,
            )
        )
    table = Table(
        title=f"Watches on labels: a budget of one notice in {THRESHOLD} windows",
        columns=("labels", "rows", "baseline", f"notices per {THRESHOLD}", "± SE", f"any in {THRESHOLD}", "delay"),
        rows=tuple(rows),
        note=(
            f"{streams} streams of {WINDOWS} windows, each on a baseline of its own, restarted after a notice. The "
            "four watches on quarters of the score have the whole of the budget, and every window is judged by itself, "
            "however few its labels. A delay: median windows to the first notice."
        ),
    )
    return Result(tables=(table,))


def alarms(labels: Labels, streams: int, rng: np.random.Generator) -> Alarms:
    """Notices of streams of windows, [streams, windows], with the product's tests on the product's scores."""
    parts = CoverageGroups(classes=("no", "yes"), edges=np.array([0.25, 0.5, 0.75]), slices={})
    tolerances = Tolerances(error=0.0, brier=0.0, integrity=0.0)
    tests: list[ConformalTest] = []
    for _ in range(streams):
        known = _windows(labels, labels.baseline, rng, live=False)
        scores = _scores(parts, *known)
        squares = _scores(parts, *known, squared=True)
        rows = np.maximum(known[1].sum(axis=1), 1)
        remembered = level_ar1(dict(enumerate(scores.T)))
        tests += [
            ConformalTest.fit(
                scores[:, place],
                tolerance=tolerances.score_tolerance(watch),
                direction=watch.direction,
                ar1=remembered[place],
                min_std=max(tolerances.min_std(watch), 0.5 / labels.rows),
                sampling_variance=SamplingVariance.fit(scores[:, place], squares[:, place], rows),
            )
            for place, watch in enumerate(parts.watches)
        ]
    drawn = [_windows(labels, WINDOWS, rng, live=True) for _ in range(streams)]
    live = np.stack([_scores(parts, *windows) for windows in drawn])
    came = np.stack([np.repeat(labelled.sum(axis=1)[:, None], len(QUARTERS), axis=1) for _, labelled in drawn])
    levels = np.repeat(np.arange(streams), len(QUARTERS)).tolist()
    runs, at = VectorizedTests(tests, 1, levels=levels), np.zeros((streams, WINDOWS), dtype=np.bool_)
    for window in range(WINDOWS):
        evidence = runs.step(live[:, window].reshape(1, -1), came[:, window].reshape(1, -1))
        over = evidence.reshape(streams, -1).mean(axis=1) >= THRESHOLD
        at[:, window] = over
        if over.any():
            runs.restart(np.repeat(over, len(QUARTERS))[None, :])
    return Alarms(at=at)


def _windows(labels: Labels, count: int, rng: np.random.Generator, *, live: bool) -> tuple[Whole, Whole]:
    """Rows answered and labelled of each window, by quarter: [count, 4] twice."""
    shares = np.full((count, len(QUARTERS)), 1.0 / len(QUARTERS))
    if labels.mix:
        shares = rng.dirichlet(np.full(len(QUARTERS), labels.mix / len(QUARTERS)), count)
    answered = rng.multinomial(labels.rows, shares)
    rate = labels.rate if live else labels.known
    rates = np.repeat(
        np.clip(rate + labels.spread * rng.uniform(-1.0, 1.0, (count, 1)), 0.0, 1.0), len(QUARTERS), axis=1
    )
    rates[:, -1] *= 1.0 - labels.lost if live else 1.0
    return answered, rng.binomial(answered, rates)


def _scores(parts: CoverageGroups, answered: Whole, labelled: Whole, *, squared: bool = False) -> Floats:
    """Each watch's mean score, or squared score, in each window, [count, 4]; as of 1/2 each, where no label came."""
    found = np.full(answered.shape, 0.25 if squared else 0.5)
    summed = parts.squares if squared else parts.sums
    for place, (of_all, came) in enumerate(zip(answered.tolist(), labelled.tolist(), strict=True)):
        sums = summed((sum(of_all), *of_all), (sum(came), *came))
        if sum(came):
            found[place] = [total.mean for total in sums.values()]
    return found
