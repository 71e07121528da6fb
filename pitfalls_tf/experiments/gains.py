"""Gains between the setups of an experiment's table, with the paired verdict that every comparison here uses."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.metrics import ConfidenceInterval
from pitfalls_tf.experiments.claim import Claim, ClaimFinding, Rule
from pitfalls_tf.experiments.scores_table import count_diverged, distinct_values, score_matrix, select_rows
from pitfalls_tf.experiments.spread import UNKNOWN
from pitfalls_tf.verdicts import paired
from pitfalls_tf.verdicts.scores import SCHEMA, Scores, pair_scores
from pitfalls_tf.verdicts.verdict import BOOTSTRAP_SEED, Verdict, judge


def compare_setups(
    table: pa.Table, source: str, setup: str, against: str, *, metric: str = "brier", split: str = "deployed"
) -> Verdict | None:
    """Compare two setups of the same source, paired over seeds and domains.

    Returns:
        The verdict; None with fewer than two seeds that both setups have in all domains.
    """
    scores, other = (_scores(table, source=source, setup=name, split=split) for name in (setup, against))
    common = {seed for _, seed in scores.of(metric)} & {seed for _, seed in other.of(metric)}
    if len(common) < 2:
        return None
    pairs = pair_scores(scores, other, metric=metric)
    return judge(pairs) if len(pairs.seeds) > 1 else None


def gain_interval(verdict: Verdict | None) -> tuple[float, ConfidenceInterval]:
    """The gain in domains like these and its interval; NaN without a verdict."""
    return (float("nan"), UNKNOWN) if verdict is None else (verdict.gain, verdict.overall.interval)


def mean_gain(gains: NDArray[np.float64]) -> tuple[float, ConfidenceInterval]:
    """The mean of gains and its interval in domains like these.

    Args:
        gains: shape [domains, seeds].

    Returns:
        Mean and interval; an unknown interval (NaN) with fewer than two seeds.
    """
    if gains.size == 0 or gains.shape[1] < 2:
        return (float(gains.mean()) if gains.size else float("nan")), UNKNOWN
    resampling = paired.Resampling.draw(gains.shape[0], gains.shape[1], np.random.default_rng(BOOTSTRAP_SEED))
    return float(gains.mean()), paired.interval(gains, resampling)


def gain_finding(
    claim: Claim, where: str, gains: NDArray[np.float64], *, note: str = "", rule: Rule = "both"
) -> ClaimFinding:
    """A finding whose quantity is a mean over domains and seeds. `gains`: shape [domains, seeds]."""
    estimate, interval = mean_gain(gains)
    by_seeds = 1.0
    domains, seeds = gains.shape
    if domains > 1 and seeds > 1:
        parts = paired.variances(gains)
        of_seeds = (parts.between_seeds + parts.within / domains) / seeds
        of_domains = (parts.between_domains or 0.0) / domains
        by_seeds = of_seeds / (of_seeds + of_domains) if of_seeds + of_domains > 0 else 1.0
    return ClaimFinding(
        claim=claim,
        where=where,
        estimate=estimate,
        interval=interval,
        note=note,
        rule=rule,
        seeds=seeds,
        domains=domains,
        by_seeds=by_seeds,
    )


def best_on_benchmark(table: pa.Table, source: str, conventional: str) -> str:
    """Select a setup as one would without a deployment: by the mean Brier score on the random hold-out.

    Returns:
        The setup with the smallest score. Setups with a diverged run are not selected.
    """
    scores = {
        setup: float(score_matrix(table, source=source, setup=setup, split="random", metric="brier").by_seed.mean())
        for setup in distinct_values(select_rows(table, source=source), "setup")
        if setup != conventional and not count_diverged(table, source=source, setup=setup)[0]
    }
    return min(scores, key=lambda setup: scores[setup])


def outcome_text(verdict: Verdict | None) -> str:
    """Better, worse or inconclusive; or why there is no verdict."""
    return "too few seeds" if verdict is None else verdict.outcome


def _scores(table: pa.Table, **values: str) -> Scores:
    rows = select_rows(table, **values)
    rows = rows.filter(pc.is_null(rows["epoch"])).select(SCHEMA.names)
    return Scores(setup=values["setup"], origin="this experiment", rows=rows)
