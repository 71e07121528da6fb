"""Attempted fixes for instability."""

from __future__ import annotations

import pyarrow as pa
import pytest

from pitfalls_tf.experiments.cells.training_cell import SCHEMA
from pitfalls_tf.experiments.figures import figure2
from tests.pitfalls_tf.experiments.score_rows import score_row


def scores(setup: str, mean: float, spread: float, *, diverged: int = 0) -> list[dict[str, object]]:
    """Six runs of a setup, evenly spread around a mean."""
    rows = [
        score_row(setup, "deployed", domain, seed, mean + spread * (seed - 2.5))
        for domain in ("a", "b")
        for seed in range(6)
    ]
    return rows + [
        score_row(setup, "training", "all", seed, float(seed < diverged), metric="diverged") for seed in range(6)
    ]


TABLE = pa.Table.from_pylist(
    [
        *scores("conventional", 0.2, 0.01),
        *scores("weight_decay", 0.2, 0.001),
        *scores("dropout", 0.1, 0.02, diverged=3),
    ],
    schema=SCHEMA,
)


def test_each_fix_is_compared_with_training_without_one() -> None:
    found = {(one.claim.name, one.where): one for one in figure2.EXPERIMENT.findings(TABLE)}
    remains = found["instability remains", "flights, weight_decay"]
    assert remains.estimate == pytest.approx(0.1)
    assert remains.first_verdict == "not reproduced"
    assert found["fixes help in part", "flights, dropout"].estimate == pytest.approx(2.0)
    gain = found["no better in deployment", "flights, dropout"]
    assert gain.estimate == pytest.approx(0.1)
    assert gain.first_verdict == "not reproduced"


def test_the_mean_of_all_fixes_decides() -> None:
    """Deviations of .1 and 2 have a geometric mean of the root of .2; gains of 0 and .1 a mean of .05."""
    found = {one.claim.name: one for one in figure2.EXPERIMENT.findings(TABLE) if one.rule == "current"}
    assert {one.where for one in found.values()} == {"flights"}


def test_one_fix_can_resolve_the_instability_and_diverged_runs_are_counted() -> None:
    found = {one.claim.name: one for one in figure2.EXPERIMENT.findings(TABLE) if one.rule == "both"}
    resolves, single, diverges = (
        found[name] for name in ("no fix resolves it", "single networks are helped", "training diverges")
    )
    assert (resolves.where, round(resolves.estimate, 6)) == ("flights: weight decay", 0.1)
    assert resolves.verdict == "not reproduced"
    assert (single.note, round(single.estimate, 6)) == ("2 fixes", round(0.2**0.5, 6))
    assert (diverges.estimate, diverges.seeds, diverges.verdict) == (3 / 18, 18, "reproduced")


def test_the_mean_is_of_all_fixes() -> None:
    found = {one.claim.name: one for one in figure2.EXPERIMENT.findings(TABLE) if one.rule == "current"}
    assert found["instability remains"].estimate == pytest.approx(0.2**0.5)
    assert found["fixes help in part"].estimate == pytest.approx(0.2**0.5)
    assert found["no better in deployment"].estimate == pytest.approx(0.05)


def test_the_summary_has_the_share_of_diverged_runs() -> None:
    rows = {row["fix"]: row for row in figure2.EXPERIMENT.summary(TABLE).to_pylist()}
    assert rows["dropout"]["diverged"].startswith("50 %")
    assert rows["none"]["diverged"].startswith("0 %")
    assert rows["none"]["worst - median"] == pytest.approx(0.025)
