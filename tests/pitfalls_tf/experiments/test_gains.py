"""Gains between setups of an experiment's table."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.metrics import ConfidenceInterval
from pitfalls_tf.experiments.domain_pairs import PLAIN
from pitfalls_tf.experiments.figures import alternatives, curation, figure4, future
from pitfalls_tf.experiments.gains import best_on_benchmark, gain, in_words, judged, mean_gain
from pitfalls_tf.experiments.training_cell import SCHEMA


def row(
    setup: str, split: str, domain: str, seed: int, value: float | None, *, metric: str = "brier"
) -> dict[str, object]:
    return {
        "source": "flights",
        "setup": setup,
        "split": split,
        "domain": domain,
        "seed": seed,
        "epoch": None,
        "metric": metric,
        "value": value,
    }


def table(
    values: dict[tuple[str, str], float], *, seeds: int = 4, domains: tuple[str, ...] = ("a", "b", "c")
) -> pa.Table:
    """A Brier score for each setup and split, hardly different between seeds and domains, and nothing diverged."""
    rows = [
        row(setup, split, domain, seed, value + 1e-4 * seed + 1e-5 * place * seed)
        for (setup, split), value in values.items()
        for place, domain in enumerate(domains)
        for seed in range(seeds)
    ]
    setups = {setup for setup, _ in values}
    rows += [row(setup, "training", "all", seed, 0.0, metric="diverged") for setup in setups for seed in range(seeds)]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def test_a_smaller_score_is_a_gain_and_one_seed_is_no_verdict() -> None:
    there = table({("a", "deployed"): 0.1, ("b", "deployed"): 0.2})
    verdict = judged(there, "flights", "a", "b")
    assert gain(verdict)[0] == pytest.approx(0.1)
    assert in_words(verdict) == "better"
    alone = judged(table({("a", "deployed"): 0.1, ("b", "deployed"): 0.2}, seeds=1), "flights", "a", "b")
    assert alone is None
    assert in_words(alone) == "too few seeds"
    assert np.isnan(gain(alone)[0])


def test_the_interval_of_a_mean_gain_needs_two_seeds() -> None:
    estimate, interval = mean_gain(np.array([[0.1, 0.2, 0.3]]))
    assert estimate == pytest.approx(0.2)
    assert interval.low < estimate < interval.high
    assert np.isnan(mean_gain(np.array([[0.1]]))[1].low)


def test_the_alternative_is_chosen_by_the_benchmark_and_judged_by_deployment() -> None:
    base, flatterer, modest = alternatives.CONVENTIONAL, "focal, as it is", "focal, width_4"
    there = table(
        {
            (base, "random"): 0.15,
            (base, "deployed"): 0.20,
            (flatterer, "random"): 0.10,
            (flatterer, "deployed"): 0.25,
            (modest, "random"): 0.14,
            (modest, "deployed"): 0.10,
        }
    )
    assert best_on_benchmark(there, "flights", base) == flatterer
    robust, _ = alternatives.EXPERIMENT.findings(there)
    assert robust.estimate == pytest.approx(-0.05)
    assert robust.word == "reproduced"


def test_a_diverged_setup_is_not_chosen() -> None:
    there = table({("conventional", "random"): 0.2, ("x", "random"): 0.1, ("y", "random"): 0.15})
    gone = pa.Table.from_pylist([row("x", "training", "all", 9, 1.0, metric="diverged")], schema=SCHEMA)
    assert best_on_benchmark(pa.concat_tables([there, gone]), "flights", "conventional") == "y"


def test_gains_that_an_alteration_takes_away_are_counted() -> None:
    there = table(
        {
            ("erm", PLAIN): 0.3,
            ("erm", "noise"): 0.4,
            ("erm", "May"): 0.3,
            ("coral", PLAIN): 0.2,  # gains everywhere but under noise
            ("coral", "noise"): 0.4,
            ("coral", "May"): 0.2,
            ("fine_tuning", PLAIN): 0.1,  # is told labels: not counted
            ("fine_tuning", "noise"): 0.9,
            ("fine_tuning", "May"): 0.9,
        }
    )
    had, lost = figure4.survival(there, "flights")
    assert had.tolist() == [2, 2, 2]
    assert lost.tolist() == [1, 1, 1]
    minimal, regressed = figure4.EXPERIMENT.findings(there)
    assert minimal.word == "not reproduced"
    assert regressed.estimate == 0.5


def test_pairs_and_conditions_are_taken_apart() -> None:
    apart = figure4.by_condition(table({("erm", "deployed"): 0.1}, domains=("EWR to JFK, noise", "all")))
    first = apart.to_pylist()[0]
    assert (first["domain"], first["split"]) == ("EWR to JFK", "noise")


def test_the_gate_of_a_table_asks_for_better_in_the_worst_domain() -> None:
    verdict = judged(table({("a", "deployed"): 0.1, ("b", "deployed"): 0.2}), "flights", "a", "b")
    assert verdict is not None
    assert future.gate(verdict).refusal is None
    other = judged(table({("a", "deployed"): 0.2, ("b", "deployed"): 0.2}), "flights", "a", "b")
    assert other is not None
    assert "not shown to be better" in str(future.gate(other).refusal)


def test_curation_is_compared_between_settings() -> None:
    rows = []
    for setting, gained in ((curation.CONTROLLED, 0.05), (curation.HARD, -0.02), (curation.LARGE, -0.02)):
        for name, error in ((curation.UNCURATED, 0.3), ("loss_curated", 0.3 - gained)):
            rows += [
                row(f"{setting.name}: {name}", "random", "all", seed, error + 1e-3 * seed, metric="error")
                | {"source": "digits"}
                for seed in range(4)
            ]
    found = curation.EXPERIMENT.findings(pa.Table.from_pylist(rows, schema=SCHEMA))
    assert [round(one.estimate, 6) for one in found] == [0.05, 0.07, 0.0]
    assert [one.word for one in found] == ["reproduced", "reproduced", "reproduced"]
    assert found[0].interval == ConfidenceInterval(low=found[0].interval.low, high=found[0].interval.high)
