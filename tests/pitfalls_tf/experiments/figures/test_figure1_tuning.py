"""Standardised inputs and tuned hyperparameters."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from pitfalls_tf.experiments.cells.training_cell import SCHEMA
from pitfalls_tf.experiments.figures import figure1_tuning
from tests.pitfalls_tf.experiments.score_rows import score_row


def deployed(setup: str, spread: float) -> list[dict[str, object]]:
    """Scores of a setup whose standard deviations over seeds and over domains are proportional to `spread`."""
    rng = np.random.default_rng(3)
    by_domain, by_seed = rng.normal(size=4), rng.normal(size=6)
    return [
        score_row(setup, "deployed", f"d{domain}", seed, 0.2 + spread * float(by_domain[domain] + by_seed[seed]))
        for domain in range(4)
        for seed in range(6)
    ]


def trial(name: str, loss: float) -> dict[str, object]:
    """The score of a trial on the random hold-out."""
    return score_row(name, "random", "all", 1_000, loss, metric="log_loss")


TABLE = pa.Table.from_pylist(
    [
        *deployed("raw", 0.02),
        *deployed("conventional", 0.01),
        *deployed("tuned", 0.002),
        trial("trial 0: rate 1", 0.5),
        trial("trial 1: rate 2", 0.4),
    ],
    schema=SCHEMA,
)


def test_findings_are_ratios_of_variances_to_raw_inputs() -> None:
    found = figure1_tuning.EXPERIMENT.findings(TABLE)
    assert [one.where for one in found] == ["flights, standardised", "flights, tuned"] * 2
    assert [one.estimate for one in found] == pytest.approx([0.25, 0.01, 0.25, 0.01])
    assert found[1].verdict == found[3].verdict == "not reproduced"
    assert [one.rule for one in found] == ["first", "both"] * 2, "tuned training decides"


def test_the_summary_names_the_settings_of_the_best_trial() -> None:
    rows = {row["setup"]: row for row in figure1_tuning.EXPERIMENT.summary(TABLE).to_pylist()}
    assert rows["tuned"]["settings"] == "trial 1: rate 2"
    assert rows["standardised"]["variance removed, seeds"] == pytest.approx(0.75)
    assert rows["raw"]["settings"] == ""
