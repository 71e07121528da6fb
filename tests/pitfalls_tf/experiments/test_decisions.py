"""The decision on each claim of an experiment."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from pitfalls_tf.experiments.cells.training_cell import SCHEMA
from pitfalls_tf.experiments.claim import Claim, ClaimFinding
from pitfalls_tf.experiments.decisions import decide
from pitfalls_tf.experiments.gains import gain_finding
from pitfalls_tf.experiments.grid_size import FIRST_FRESH
from pitfalls_tf.experiments.power_plan import PlannedClaim, PlannedSource
from pitfalls_tf.experiments.scores_table import deciding_rows, score_matrix
from pitfalls_tf.experiments.stored_results import RunGroup, StoredResults
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
        claim="gain", where="flights", smallest_effect="0.1", standard_error=0.02, runs=20, power=power, rule=CLAIM.rule
    )
    source = PlannedSource(source="flights", looks=looks, domains=None, claims=(claim,), planned="2026-01-01")
    return {"flights": source}


def results(rows: pa.Table, plan: dict[str, PlannedSource] | None = None, made: str = "2026-01-02") -> StoredResults:
    """Results whose fresh runs carry out a plan."""
    groups = tuple(
        RunGroup(
            sources=("flights",),
            stage="fresh",
            command="",
            quick=False,
            seeds=20,
            fresh_domains=None,
            environment={},
            processor=None,
            cells=(),
            code=None,
            table_digest="",
            hours=None,
            made=made,
            plan=one.digest,
        )
        for one in (plan or {}).values()
    )
    return StoredResults(table=rows, groups=groups)


def test_fresh_runs_of_an_older_plan_confirm_and_the_first_rule_is_kept() -> None:
    plan = planned(20)
    (decision,) = decide(EXPERIMENT, results(table(0.1, fresh=20, fresh_mean=0.4), plan), plan)
    assert (decision.verdict, decision.confirmatory_verdict, decision.kinds) == ("reproduced",) * 2 + (
        ("confirmatory",),
    )
    assert decision.findings[0].seeds == 20
    assert decision.combinations["first rules, first runs"] == "reproduced", "the first rule has its bound at 0"
    assert decision.combinations["today's rules, first runs"] == "at the bound"
    (before,) = decide(EXPERIMENT, results(table(0.1)), {})
    assert (before.verdict, before.confirmatory_verdict, before.kinds) == ("at the bound", None, ("first runs",))


def test_what_was_not_planned_before_its_runs_is_exploratory() -> None:
    plan, rows = planned(20), table(0.1, fresh=20, fresh_mean=0.4)

    def kind(made: StoredResults, of: dict[str, PlannedSource]) -> str:
        ((only,),) = (decision.kinds for decision in decide(EXPERIMENT, made, of))
        return only

    assert kind(results(rows, plan, made="2025-12-31"), plan) == "plan of after the runs"
    changed = {"flights": replace(plan["flights"], domains=7)}
    assert kind(results(rows, plan), changed) == "plan of after the runs"
    (claim,) = plan["flights"].claims
    other = {"flights": replace(plan["flights"], claims=(replace(claim, rule="Another rule."),))}
    assert kind(results(rows, other), other) == "rule of after the plan"
    weak = planned(20, power=0.2)
    assert kind(results(rows, weak), weak) == "planned power 0.2"
    assert kind(results(table(0.1)), plan) == "first runs; the fresh ones were not made"


def test_a_sequential_run_has_wider_intervals() -> None:
    rows = results(table(0.1, fresh=32, fresh_mean=0.4))
    (fixed,), (sequential,) = decide(EXPERIMENT, rows, planned(32)), decide(EXPERIMENT, rows, planned(16, 32, 64))
    narrow, wide = fixed.findings[0].interval, sequential.findings[0].interval
    assert (wide.high - wide.low) > 1.2 * (narrow.high - narrow.low)
    (before,) = decide(EXPERIMENT, results(table(0.4, first=32)), planned(16, 32, 64))
    assert before.findings[0].interval.high - before.findings[0].interval.low < 0.8 * (wide.high - wide.low)
