"""Scores from tables and runs, and their pairs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.training.domain_metrics import by_domain, write_domains
from pitfalls_tf.training.train import TrainingOutput, train
from pitfalls_tf.verdicts.scores import SCHEMA, Scores, pair_scores, read_scores

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pitfalls_tf.rows.table import Table
    from pitfalls_tf.training.setup import Setup


def scores(setup: str, values: Mapping[tuple[str, int], float | None], metric: str = "brier") -> Scores:
    rows = [
        {"setup": setup, "domain": domain, "seed": seed, "metric": metric, "value": value}
        for (domain, seed), value in values.items()
    ]
    return Scores(setup=setup, origin="memory", rows=pa.Table.from_pylist(rows, schema=SCHEMA))


def test_parquet_and_csv_tables_read_alike_and_name_one_of_several_setups(tmp_path: Path) -> None:
    table = pa.concat_tables([scores("a", {("x", 0): 0.25, ("x", 1): 0.5}).rows, scores("b", {("x", 0): 1.0}).rows])
    pq.write_table(table, tmp_path / "scores.parquet")
    pa_csv.write_csv(table, tmp_path / "scores.csv")
    for name in ("scores.parquet", "scores.csv"):
        assert read_scores(f"{tmp_path / name}:a").of("brier") == {("x", 0): 0.25, ("x", 1): 0.5}
        with pytest.raises(BadInput, match=r"Name one of the setups .* one of: a, b"):
            read_scores(str(tmp_path / name))
        with pytest.raises(BadInput, match="No such setup in the table"):
            read_scores(f"{tmp_path / name}:c")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("setup,domain,seed,metric\na,x,0,brier\n", "Add value."),
        ("setup,domain,seed,metric,value\na,x,0,brier,low\n", "cannot be read"),
        ("setup,domain,seed,metric,value\na,x,0.5,brier,0.1\n", "cannot be read"),
        ("setup,domain,seed,metric,value\na,x,0,brier,0.1\na,x,0,brier,0.2\n", "Duplicate score"),
        ("", "cannot be read"),
    ],
)
def test_an_invalid_table_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text(text)
    with pytest.raises(BadInput, match=message):
        read_scores(str(tmp_path / "scores.csv"))


def test_missing_scores_are_reported_with_the_command_that_makes_them(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="pitfalls train"):
        read_scores(str(tmp_path / "none"))
    with pytest.raises(BadInput, match="no finished runs"):
        read_scores(str(tmp_path))


def test_pairs_have_the_same_seeds_and_domains_and_the_rest_is_left_out() -> None:
    a = scores("a", {(domain, seed): 0.1 * seed for domain in "xyz" for seed in range(4)})
    b = scores("b", {**{(domain, seed): 0.2 for domain in "xy" for seed in range(1, 6)}, ("x", 3): None})
    found = pair_scores(a, b)
    assert found.domains == ("x", "y")
    assert found.seeds == (1, 2)
    np.testing.assert_allclose(found.gains, [[0.1, 0.0], [0.1, 0.0]])
    assert "a: domain z has too few paired seeds" in found.left_out
    assert "b: seed 3 has no partner or no value" in found.left_out


def test_a_domain_with_few_seeds_does_not_remove_the_others() -> None:
    values = {("x", seed): 0.1 for seed in range(6)} | {("thin", 0): 0.3}
    found = pair_scores(scores("a", values), scores("b", values))
    assert (found.domains, len(found.seeds)) == (("x",), 6)


def test_the_direction_of_a_metric_is_known_or_must_be_given() -> None:
    high, low = ({("x", seed): value for seed in range(3)} for value in (0.8, 0.7))
    assert pair_scores(scores("a", high, "auc"), scores("b", low, "auc")).gains.min() > 0
    assert pair_scores(scores("a", high, "error"), scores("b", low, "error")).gains.max() < 0
    a, b = scores("a", high, "profit"), scores("b", low, "profit")
    with pytest.raises(BadInput, match="--better larger"):
        pair_scores(a, b)
    assert pair_scores(a, b, larger_is_better=True).gains.min() > 0


def test_a_common_metric_and_common_seeds_are_required() -> None:
    values = {("x", seed): 0.5 for seed in range(3)}
    with pytest.raises(BadInput, match="not in both setups"):
        pair_scores(scores("a", values, "auc"), scores("b", values, "brier"))
    with pytest.raises(BadInput, match="expected one of: brier"):
        pair_scores(scores("a", values), scores("b", values), metric="auc")
    with pytest.raises(BadInput, match="no seed and domain in common"):
        pair_scores(scores("a", values), scores("b", {("x", 7): 0.5}))


def test_runs_are_scored_domain_by_domain_from_their_held_out_predictions(
    small: Setup, few_flights: Table, tmp_path: Path
) -> None:
    ensemble = train(small, seeds=2, output=TrainingOutput(runs=tmp_path), progress=lambda _: None).ensemble
    found = read_scores(str(tmp_path))
    assert found.setup == "small"
    assert {domain for domain, _ in found.of("brier")} == set(few_flights.domains.to_pylist())

    first = pq.read_table(ensemble.runs[0].folder / "held_out.parquet").to_pylist()
    domain = few_flights.domains[0].as_py()
    inside = [row for row, where in zip(first, few_flights.domains.to_pylist(), strict=True) if where == domain]
    by_hand = np.mean([(row["probabilities"][1] - (row["label"] == "late")) ** 2 for row in inside if row["label"]])
    assert found.of("brier")[domain, 0] == pytest.approx(by_hand)

    # A file of domains, where training wrote one for every run, is what counts.
    for run in ensemble.runs:
        metrics = by_domain(np.array([[0.5, 0.5]] * 2), np.array([0, -1]), ["only", "only"])
        write_domains(metrics, run.folder)
    assert read_scores(str(tmp_path)).of("brier") == {("only", 0): 0.25, ("only", 1): 0.25}
    (ensemble.runs[0].folder / "domains.json").write_text(json.dumps({"other": 1}))
    with pytest.raises(BadInput, match="cannot be read"):
        read_scores(str(tmp_path))


def test_fingerprints_differ_between_trainings() -> None:
    one, same, other = (scores("a", {("x", 0): value}) for value in (0.1, 0.1, 0.1000001))
    assert one.fingerprint("brier") == same.fingerprint("brier") != other.fingerprint("brier")
