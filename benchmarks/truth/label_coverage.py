"""False alarms of the label coverage watches where labels are missing at random, and their delay where they are not.

The scores of a window fall into quarters, and the label of each row arrives or does not. The four watches alone have
the whole budget of their level. Windows are drawn as counts, which is all that the watches use.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.truth.level_streams import Alarms
from monitoring.evidence.autocorrelation import level_ar1
from monitoring.evidence.conformal import ConformalTest
from monitoring.evidence.sampling_variance import SamplingVariance
from monitoring.evidence.simulation import VectorizedTests
from monitoring.judging.fit.tolerances import Tolerances
from monitoring.tasks.classification import Classification
from monitoring.watches.label_coverage import QUARTERS, CoverageGroups

SEED = 20_130_404
STREAMS = 100
THRESHOLD = 30
WINDOWS = 365

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelStream:
    """Settings of one row of the table.

    Attributes:
        rate: share of rows whose label arrives in time.
        baseline_rate: the same in the baseline.
        spread: largest deviation of a window's own rate, for all of its rows.
        mix: pseudo-counts of the Dirichlet distribution that moves rows between quarters; 0 keeps the quarters equal.
        lost: share of the labels of the highest quarter that never arrive.
    """

    name: str
    rows: int
    baseline_rate: float = 1.0
    rate: float = 1.0
    spread: float = 0.0
    mix: float = 0.0
    lost: float = 0.0
    baseline: int = 90


LABEL_STREAMS = (
    LabelStream(name="every label comes", rows=200),
    LabelStream(name="half of the labels come", rows=200, rate=0.5),
    LabelStream(name="half, and half in the baseline", rows=200, rate=0.5, baseline_rate=0.5),
    LabelStream(name="half, baseline of 20 windows", rows=200, rate=0.5, baseline_rate=0.5, baseline=20),
    LabelStream(name="one of ten, and so in the baseline", rows=200, rate=0.1, baseline_rate=0.1),
    LabelStream(name="one of ten, every one in the baseline", rows=200, rate=0.1),
    LabelStream(name="one of ten, of 2,000 rows", rows=2000, rate=0.1),
    LabelStream(name="10 to 90 % from window to window", rows=200, rate=0.5, baseline_rate=0.5, spread=0.4),
    LabelStream(name="half, and scores that move", rows=200, rate=0.5, baseline_rate=0.5, mix=10.0),
    LabelStream(name="a quarter of the highest quarter's lost", rows=200, lost=0.25),
    LabelStream(name="half of the highest quarter's lost", rows=200, lost=0.5),
    LabelStream(name="all of the highest quarter's lost", rows=200, lost=1.0),
    LabelStream(name="half come, half of the highest's lost", rows=200, rate=0.5, baseline_rate=0.5, lost=0.5),
    LabelStream(name="one of ten, half of the highest's lost", rows=200, rate=0.1, baseline_rate=0.1, lost=0.5),
    LabelStream(name="one of ten, every one in the baseline, half lost", rows=200, rate=0.1, lost=0.5),
    LabelStream(name="one of ten, every one in the baseline, all lost", rows=200, rate=0.1, lost=1.0),
)


def measure(settings: Settings) -> Result:
    """Measure each stream. Cost: some minutes; a tenth of that with `quick`."""
    streams = STREAMS // 10 if settings.quick else STREAMS
    rows: list[tuple[Cell, ...]] = []
    for index, labels in enumerate(LABEL_STREAMS):
        at = alarms(labels, streams, np.random.default_rng([SEED, index]))
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
        title=f"Label coverage watches: budget of one notice in {THRESHOLD} windows",
        columns=("labels", "rows", "baseline", f"notices per {THRESHOLD}", "± SE", f"any in {THRESHOLD}", "delay"),
        rows=tuple(rows),
        note=(
            f"{streams} streams of {WINDOWS} windows, each on its own baseline, restarted after a notice. The "
            "four watches on quarters of the score have the whole budget, and every window is evaluated by itself, "
            "even with few labels. Delay: median windows to the first notice."
        ),
    )
    return Result(tables=(table,))


def alarms(labels: LabelStream, streams: int, rng: np.random.Generator) -> Alarms:
    """Notices of the product's tests on the product's scores, shape [streams, windows]."""
    groups = CoverageGroups(task=Classification(classes=("no", "yes")), edges=np.array([0.25, 0.5, 0.75]), slices={})
    tolerances = Tolerances(error=0.0, brier=0.0, integrity=0.0)
    tests: list[ConformalTest] = []
    for _ in range(streams):
        baseline_rate = _windows(labels, labels.baseline, rng, live=False)
        scores = _scores(groups, *baseline_rate)
        squares = _scores(groups, *baseline_rate, squared=True)
        rows = np.maximum(baseline_rate[1].sum(axis=1), 1)
        coefficients = level_ar1(dict(enumerate(scores.T)))
        tests += [
            ConformalTest.fit(
                scores[:, index],
                tolerance=tolerances.score_tolerance(watch),
                direction=watch.direction,
                ar1=coefficients[index],
                min_std=max(tolerances.min_std(watch), 0.5 / labels.rows),
                sampling_variance=SamplingVariance.fit(scores[:, index], squares[:, index], rows),
            )
            for index, watch in enumerate(groups.watches)
        ]
    drawn = [_windows(labels, WINDOWS, rng, live=True) for _ in range(streams)]
    live = np.stack([_scores(groups, *windows) for windows in drawn])
    arrived = np.stack([np.repeat(labelled.sum(axis=1)[:, None], len(QUARTERS), axis=1) for _, labelled in drawn])
    levels = np.repeat(np.arange(streams), len(QUARTERS)).tolist()
    runs, at = VectorizedTests(tests, 1, levels=levels), np.zeros((streams, WINDOWS), dtype=np.bool_)
    for window in range(WINDOWS):
        evidence = runs.step(live[:, window].reshape(1, -1), arrived[:, window].reshape(1, -1))
        over = evidence.reshape(streams, -1).mean(axis=1) >= THRESHOLD
        at[:, window] = over
        if over.any():
            runs.restart(np.repeat(over, len(QUARTERS))[None, :])
    return Alarms(at=at)


def _windows(labels: LabelStream, count: int, rng: np.random.Generator, *, live: bool) -> tuple[Integers, Integers]:
    """Predicted and labelled rows of each window by quarter, two arrays of shape [count, 4]."""
    shares = np.full((count, len(QUARTERS)), 1.0 / len(QUARTERS))
    if labels.mix:
        shares = rng.dirichlet(np.full(len(QUARTERS), labels.mix / len(QUARTERS)), count)
    answered = rng.multinomial(labels.rows, shares)
    rate = labels.rate if live else labels.baseline_rate
    rates = np.repeat(
        np.clip(rate + labels.spread * rng.uniform(-1.0, 1.0, (count, 1)), 0.0, 1.0), len(QUARTERS), axis=1
    )
    rates[:, -1] *= 1.0 - labels.lost if live else 1.0
    return answered, rng.binomial(answered, rates)


def _scores(groups: CoverageGroups, answered: Integers, labelled: Integers, *, squared: bool = False) -> Floats:
    """Mean score, or squared score, of each watch in each window, shape [count, 4]; 1/2 each without labels."""
    scores = np.full(answered.shape, 0.25 if squared else 0.5)
    summed = groups.squares if squared else groups.sums
    for index, (of_all, arrived) in enumerate(zip(answered.tolist(), labelled.tolist(), strict=True)):
        sums = summed((sum(of_all), *of_all), (sum(arrived), *arrived))
        if sum(arrived):
            scores[index] = [total.mean for total in sums.values()]
    return scores
