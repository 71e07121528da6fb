"""The plan of fresh runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.experiments.cells.training_cell import SCHEMA
from pitfalls_tf.experiments.claim import Claim
from pitfalls_tf.experiments.experiment import Experiment, FreshRuns
from pitfalls_tf.experiments.gains import gain_finding
from pitfalls_tf.experiments.power_plan import make_plan, plan_from, read_plan, write_plan
from pitfalls_tf.experiments.scores_table import deciding_rows, score_matrix
from tests.pitfalls_tf.experiments.score_rows import score_row
from tests.pitfalls_tf.experiments.small_experiment import SMALL

if TYPE_CHECKING:
    from pathlib import Path

    from pitfalls_tf.experiments.claim import ClaimFinding

CLAIM = Claim(name="gain", section="3", says="s", quantity="q", above=0.0, matters=0.1)


def table(*, by_seed: float, by_domain: float, seeds: int = 12, domains: int = 8) -> pa.Table:
    """Scores of one setup with effects of seeds and of domains."""
    rng = np.random.default_rng(7)
    of_seeds, of_domains = by_seed * rng.standard_normal(seeds), by_domain * rng.standard_normal(domains)
    rows = [
        score_row("conventional", "deployed", f"d{domain}", seed, float(of_seeds[seed] + of_domains[domain]))
        for domain in range(domains)
        for seed in range(seeds)
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def findings(rows: pa.Table) -> tuple[ClaimFinding, ...]:
    """The mean score as the claim's quantity."""
    rows = deciding_rows(rows)
    values = score_matrix(rows, source="flights", setup="conventional", split="deployed", metric="brier").values
    return (gain_finding(CLAIM, "flights", values),)


def experiment(*, most: int, domains: int | None = None) -> Experiment:
    """An experiment whose claim is about the mean score."""
    fresh = FreshRuns(
        measure=lambda _store, _source, first: first,
        most={"flights": most},
        domains={} if domains is None else {"flights": domains},
    )
    return replace(SMALL, claims=(CLAIM,), sources=("flights",), findings=findings, fresh=fresh)


def test_runs_grow_with_the_square_of_the_deviation_between_them() -> None:
    needed = {}
    for deviation in (0.2, 0.4):
        plan = make_plan(experiment(most=10_000), table(by_seed=deviation, by_domain=0.0))
        (claim,) = plan["flights"].claims
        assert claim.has_power
        assert claim.runs == plan["flights"].looks[0]
        needed[deviation] = claim.runs
    assert needed[0.2] is not None
    assert needed[0.4] == pytest.approx(4 * needed[0.2], abs=4)


def test_the_planned_runs_have_the_power_in_a_simulation() -> None:
    """At the smallest effect that matters, nine of ten repetitions are decided; the deviation itself is estimated."""
    plan = make_plan(experiment(most=10_000), table(by_seed=0.2, by_domain=0.0, domains=1, seeds=80))
    (runs,) = plan["flights"].looks
    rng = np.random.default_rng(1)
    decided = 0
    for _ in range(200):
        values = CLAIM.matters + 0.2 * rng.standard_normal((1, runs))
        decided += gain_finding(CLAIM, "flights", values).verdict == "reproduced"
    assert decided >= 0.8 * 200


def test_more_runs_than_are_affordable_become_a_sequential_run() -> None:
    plan = make_plan(experiment(most=64), table(by_seed=0.6, by_domain=0.0))["flights"]
    assert plan.looks == (16, 32, 64)
    assert plan.is_sequential
    assert plan.without_power() == {"gain"}


def test_what_varies_between_domains_asks_for_domains_and_not_for_runs() -> None:
    rows = table(by_seed=0.01, by_domain=0.5)
    few = make_plan(experiment(most=100), rows)["flights"]
    (claim,) = few.claims
    assert claim.runs is None
    assert few.looks == (16,)
    assert few.without_power() == {"gain"}
    many = make_plan(experiment(most=100, domains=1_000), rows)["flights"]
    assert many.domains is not None
    assert 8 < many.domains < 1_000
    assert not many.without_power()


def test_a_source_without_fresh_runs_has_the_power_of_its_first_ones() -> None:
    without = replace(experiment(most=10), fresh=None)
    assert not make_plan(without, table(by_seed=0.01, by_domain=0.0))["flights"].without_power()
    weak = make_plan(without, table(by_seed=2.0, by_domain=0.0))["flights"]
    assert weak.looks == ()
    assert weak.without_power() == {"gain"}


def test_a_plan_is_read_as_it_was_written_and_anything_else_is_refused(tmp_path: Path) -> None:
    assert read_plan(tmp_path) == {}
    plans = {"small": make_plan(experiment(most=64), table(by_seed=0.6, by_domain=0.1))}
    write_plan(plans, tmp_path)
    assert read_plan(tmp_path) == plans
    assert plan_from({}) == {}
    (tmp_path / "plan.json").write_text("[]", "utf-8")
    with pytest.raises(BadInput, match="Not a plan"):
        read_plan(tmp_path)
