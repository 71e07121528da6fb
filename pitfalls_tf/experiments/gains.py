"""What one setup of an experiment's table gains over another, with the verdict that every comparison here gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

from pitfalls_tf.experiments.scores_table import block, chosen, distinct, diverged
from pitfalls_tf.experiments.spread import UNKNOWN
from pitfalls_tf.verdicts import paired
from pitfalls_tf.verdicts.scores import SCHEMA, Scores, pair
from pitfalls_tf.verdicts.verdict import SEED, judge

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from monitoring.baseline.metrics import ConfidenceInterval
    from pitfalls_tf.verdicts.verdict import Verdict


def judged(
    table: pa.Table, source: str, setup: str, against: str, *, metric: str = "brier", split: str = "deployed"
) -> Verdict | None:
    """`setup` against another one of the same source; None with fewer than two seeds that both have in all domains."""
    one, other = (_scores(table, source=source, setup=name, split=split) for name in (setup, against))
    common = {seed for _, seed in one.of(metric)} & {seed for _, seed in other.of(metric)}
    if len(common) < 2:
        return None
    pairs = pair(one, other, metric=metric)
    return judge(pairs) if len(pairs.seeds) > 1 else None


def gain(verdict: Verdict | None) -> tuple[float, ConfidenceInterval]:
    """The gain in domains like these and its interval; NaN where there is no verdict."""
    return (float("nan"), UNKNOWN) if verdict is None else (verdict.gain, verdict.overall.interval)


def mean_gain(gains: NDArray[np.float64]) -> tuple[float, ConfidenceInterval]:
    """Of gains [domains, seeds], as `gain`; NaN without an interval with fewer than two seeds."""
    if gains.size == 0 or gains.shape[1] < 2:
        return (float(gains.mean()) if gains.size else float("nan")), UNKNOWN
    drawn = paired.Resampling.draw(gains.shape[0], gains.shape[1], np.random.default_rng(SEED))
    return float(gains.mean()), paired.interval(gains, drawn)


def best_on_benchmark(table: pa.Table, source: str, conventional: str) -> str:
    """The setup other than the conventional one with the smallest mean Brier score on the random hold-out.

    Whoever has no deployment yet would choose it. Setups with a diverged run are not chosen.
    """
    scores = {
        setup: float(block(table, source=source, setup=setup, split="random", metric="brier").by_seed.mean())
        for setup in distinct(chosen(table, source=source), "setup")
        if setup != conventional and not diverged(table, source=source, setup=setup)[0]
    }
    return min(scores, key=lambda setup: scores[setup])


def in_words(verdict: Verdict | None) -> str:
    """Better, worse or inconclusive, and why there is none."""
    return "too few seeds" if verdict is None else verdict.word


def _scores(table: pa.Table, **wanted: str) -> Scores:
    rows = chosen(table, **wanted)
    rows = rows.filter(pc.is_null(rows["epoch"])).select(SCHEMA.names)
    return Scores(setup=wanted["setup"], origin="this experiment", rows=rows)
