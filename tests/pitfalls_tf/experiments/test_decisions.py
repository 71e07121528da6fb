"""The decision on each claim of an experiment."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.metrics import ConfidenceInterval
from pitfalls_tf.experiments.cells.training_cell import SCHEMA
from pitfalls_tf.experiments.claim import Claim, ClaimFinding
from pitfalls_tf.experiments.decisions import decide, what_would_decide
from pitfalls_tf.experiments.gains import gain_finding
from pitfalls_tf.experiments.grid_size import FIRST_FRESH
from pitfalls_tf.experiments.power_plan import PlannedClaim, PlannedSource
from pitfalls_tf.experiments.scores_table import deciding_rows, score_matrix
from tests.pitfalls_tf.experiments.score_rows import score_row
from tests.pitfalls_tf.experiments.small_experiment import SMALL

FIRST = Claim(name="gain", section="3", says="s", quantity="q", above=0.0, matters=0.1)
CLAIM = replace(FIRST, above=0.15, first=FIRST)


def findings(table: pa.Table) -> tuple[ClaimFinding, ...]:
    """The mean score as the claim's quantity."""
    rows = deciding_rows(table)
    values = score_matrix(rows, source="flights", setup="conventional", split="deployed", metric="brier").values
    return (gain_finding(CLAIM, "flights", values),)


EXPERIMENT = replace(SMALL, claims=(CLAIM,), sources=("flights",), findings=findings)


def table(mean: float, *, first: int = 6, fresh: int = 0, fresh_mean: float = 0.0) -> pa.Table:
    """Scores with a deviation of .05 over seeds."""
    rng = np.random.default_rng(4)
    seeds = [*range(first), *range(FIRST_FRESH, FIRST_FRESH + fresh)]
    noise = 0.05 * rng.standard_normal(len(seeds))
    values = [
        (fresh_mean if seed >= FIRST_FRESH else mean) + float(one) for seed, one in zip(seeds, noise, strict=True)
    ]
    rows = [score_row("conventional", "deployed", "all", seed, one) for seed, one in zip(seeds, values, strict=True)]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def planned(*looks: int, power: float = 0.95) -> dict[str, PlannedSource]:
    """A plan of fresh runs on flights."""
    claim = PlannedClaim(
        claim="gain", where="flights", smallest_effect="0.1", standard_error=0.02, runs=20, power=power
    )
    return {"flights": PlannedSource(source="flights", looks=looks, domains=None, claims=(claim,))}


def test_fresh_runs_decide_and_the_verdict_before_them_is_kept() -> None:
    (decision,) = decide(EXPERIMENT, table(0.1, fresh=20, fresh_mean=0.4), planned(20))
    assert decision.verdict == "reproduced"
    assert decision.findings[0].seeds == 20
    assert decision.first_verdict == "reproduced", "the first rule has its bound at 0"
    (before,) = decide(EXPERIMENT, table(0.1), {})
    assert before.verdict == "inconclusive"
    assert len(before.undecided) == 1


def test_a_sequential_run_has_wider_intervals() -> None:
    rows = table(0.1, fresh=32, fresh_mean=0.4)
    (fixed,), (sequential,) = decide(EXPERIMENT, rows, planned(32)), decide(EXPERIMENT, rows, planned(16, 32, 64))
    narrow, wide = fixed.findings[0].interval, sequential.findings[0].interval
    assert (wide.high - wide.low) > 1.2 * (narrow.high - narrow.low)
    (before,) = decide(EXPERIMENT, table(0.4, first=32), planned(16, 32, 64))
    assert before.findings[0].interval.high - before.findings[0].interval.low < 0.8 * (wide.high - wide.low)


def test_a_source_without_power_is_named() -> None:
    (decision,) = decide(EXPERIMENT, table(0.15), planned(power=0.2))
    assert decision.line == "undecided on flights (no power)"


@pytest.mark.parametrize(
    ("by_seeds", "words"), [(1.0, "about 160 runs would decide it"), (0.0, "about 76 domains would decide it")]
)
def test_what_would_decide_follows_from_estimate_and_error(by_seeds: float, words: str) -> None:
    """The estimate is .05 from the bound, and the interval reaches .1 to each side: four times the units."""
    finding = ClaimFinding(
        claim=CLAIM,
        where="flights",
        estimate=0.2,
        interval=ConfidenceInterval(low=0.1, high=0.3),
        seeds=39,
        domains=0 if by_seeds else 19,
        by_seeds=by_seeds,
    )
    text = what_would_decide(finding)
    assert "the interval contains 0.15" in text
    assert words in text
    unknown = replace(finding, interval=ConfidenceInterval(low=float("nan"), high=float("nan")))
    assert "too few runs or domains" in what_would_decide(unknown)
