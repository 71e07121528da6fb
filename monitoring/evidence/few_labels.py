"""How soon a harm is told where few rows have a label: the tests of losses, stepped with the noise of few rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.evidence.level import LevelTest
from monitoring.evidence.sensitivity import SIMULATIONS
from monitoring.evidence.simulation import VectorizedTests, block_indices
from monitoring.records import WatchKey

#: The share of simulated streams in which a harm is told, where nine of ten are promised: the simulation does not know
#: what an alarm needs besides to be a page, nor how labels differ from the reference's but for their number.
SIMULATED_POWER = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluations:
    """How many labels each evaluation has, and how many evaluations there are at most."""

    labels: int
    most: int


def evaluations_until_told(
    test: LevelTest,
    baseline: Mapping[WatchKey, NDArray[np.float64]],
    shifts: Mapping[WatchKey, float],
    evaluations: Evaluations,
    rng: np.random.Generator,
    *,
    log_scale: float = 0.0,
) -> int | None:
    """After how many evaluations a lasting harm has been told in `SIMULATED_POWER` of the streams.

    Streams are block bootstraps of the baseline, and so is each stream's own reference; what a mean over few labels
    varies more is added, for all watches alike: rows that look harmless look so to all. Watches that the harm does not
    move count for nothing.

    Args:
        baseline: Baseline window scores of each watch, [R].
        shifts: By how much the harm moves the scores of watches.

    Returns:
        The number, from 1; None where there are too few. Cost: some milliseconds an evaluation.
    """
    detector, most, labels = test.paging(), evaluations.most, evaluations.labels
    keys = [key for key in shifts if key in detector.tests and key in baseline]
    if not keys:
        return None
    told = np.zeros(SIMULATIONS, dtype=np.bool_)
    evidence = np.zeros((SIMULATIONS, most))
    noise = rng.normal(size=(SIMULATIONS, most))
    by_size: dict[int, list[WatchKey]] = {}
    for key in keys:
        by_size.setdefault(baseline[key].size, []).append(key)
    for size, alike in by_size.items():
        tests = [detector.tests[key] for key in alike]
        drawn = block_indices(size, SIMULATIONS, rng)
        chunks = [block_indices(size, SIMULATIONS, rng) for _ in range(-(-most // size))]
        places = np.concatenate(chunks, axis=1)[:, :most]
        stepped = VectorizedTests(tests, SIMULATIONS, references=[baseline[key][drawn] for key in alike])
        moved = np.array([shifts[key] for key in alike])
        spread = np.sign(moved) * np.sqrt([each.sampling_variance.excess(labels) for each in tests])
        shares = np.array([detector.shares[key] for key in alike])
        series = np.stack([baseline[key] for key in alike], axis=1)
        rows = np.full((SIMULATIONS, len(alike)), labels, dtype=np.int64)
        for number in range(most):
            scores = series[places[:, number]] + moved + noise[:, number, None] * spread
            evidence[:, number] += stepped.step(scores, rows) @ shares
    threshold = detector.budget.threshold / float(np.exp(log_scale))
    for number in range(most):
        told |= evidence[:, number] >= threshold
        if told.mean() >= SIMULATED_POWER:
            return number + 1
    return None
