"""Metrics by domain: written with a run, read back, and made from the predictions of runs that did not have them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.baseline.metrics import measure
from monitoring.errors import BadInput
from pitfalls_tf.rows.table import Table
from pitfalls_tf.training import run_folder
from pitfalls_tf.training.domain_metrics import NAMES, by_domain, scores_of_runs, write_domains
from pitfalls_tf.training.runs import Ensemble, Run
from pitfalls_tf.training.setup import Setup

PROBABILITIES = np.array([[0.2, 0.8], [0.6, 0.4], [0.5, 0.5]])


def written(folder: Path, setup: str, *, diverged: bool = False) -> Ensemble:
    """An ensemble of one run in a folder, and one that diverged if asked."""
    made = [
        Run(
            seed=0,
            folder=run_folder.folder_of(folder, 0),
            metrics=measure(PROBABILITIES, np.array([1, 0, 1])),
            intervals={},
        )
    ]
    if diverged:
        made.append(Run(seed=1, folder=run_folder.folder_of(folder, 1), metrics=None, intervals={}))
    for one in made:
        one.folder.mkdir(parents=True)
        run_folder.write_run(one, {"seed": one.seed}, into=one.folder)
    ensemble = Ensemble(setup=setup, folder=folder, runs=tuple(made), deployed=made[0])
    run_folder.write_ensemble(ensemble)
    return ensemble


def test_each_domain_is_measured_over_its_labelled_rows() -> None:
    found = by_domain(PROBABILITIES, np.array([1, -1, 1]), ["north", "north", "south"])
    assert found["north"].brier == pytest.approx(0.04)
    assert found["north"].rows == 1
    assert found["south"].brier == pytest.approx(0.25)
    assert set(by_domain(PROBABILITIES, np.array([1, -1, -1]), ["north", "south", "west"])) == {"north"}


def test_scores_are_read_from_the_files_of_runs_and_diverged_ones_have_no_value(tmp_path: Path) -> None:
    ensemble = written(tmp_path / "rows-focal", "rows-focal", diverged=True)
    with pytest.raises(BadInput, match=r"domains\.json.*--fresh"):
        scores_of_runs(tmp_path)
    metrics = by_domain(PROBABILITIES, np.array([1, 0, 1]), ["north", "north", "south"])
    write_domains(metrics, ensemble.runs[0].folder)
    setup, scores = scores_of_runs(tmp_path)
    assert setup == "rows-focal"
    by_hand = [
        {"setup": setup, "domain": domain, "seed": 0, "metric": name, "value": asdict(one)[name]}
        for domain, one in metrics.items()
        for name in NAMES
    ]
    assert scores == [*by_hand, {"setup": setup, "domain": "all", "seed": 1, "metric": "brier", "value": None}]
    (ensemble.runs[0].folder / "domains.json").write_text(json.dumps({"other": 1}), "utf-8")
    with pytest.raises(BadInput, match="cannot be read"):
        scores_of_runs(tmp_path)


def test_runs_of_version_0_1_are_scored_from_their_predictions(
    small: Setup, few_flights: Table, tmp_path: Path
) -> None:
    assert small.source == "flights"
    ensemble = written(tmp_path / "flights", "flights")
    shares = np.random.default_rng(1).uniform(size=len(few_flights))
    table = pa.table(
        {
            "row_id": few_flights.rows["row_id"],
            "event_time": few_flights.rows["event_time"],
            "fold": pa.array(np.zeros(len(few_flights), dtype=np.int64)),
            "probabilities": pa.array([[1 - share, share] for share in shares]),
            "label": few_flights.rows["label"],
        }
    )
    path = ensemble.runs[0].folder / run_folder.OUT_OF_FOLD
    pq.write_table(table, path)
    setup, scores = scores_of_runs(tmp_path)
    assert setup == "flights"
    found = {row["domain"]: row["value"] for row in scores if row["metric"] == "brier"}
    targets, domains = few_flights.targets(), np.asarray(few_flights.domains.to_pylist())
    assert set(found) == set(domains[targets >= 0])
    for domain, value in found.items():
        inside = (domains == domain) & (targets >= 0)
        assert value == pytest.approx(np.mean((shares[inside] - targets[inside]) ** 2))
    pq.write_table(table.slice(1), path)
    with pytest.raises(BadInput, match="other rows"):
        scores_of_runs(tmp_path)
