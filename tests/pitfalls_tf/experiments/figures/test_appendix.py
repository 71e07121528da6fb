"""Predictions of every run and failure cases."""

from __future__ import annotations

import pyarrow as pa

from pitfalls_tf.experiments.cells.failure_cell import SCHEMA
from pitfalls_tf.experiments.figures import appendix


def table(predictions: list[str], labels: str) -> pa.Table:
    """One run per string of predicted classes, one letter per row; the confidence falls from row to row."""
    rows = [
        {
            "source": "flights",
            "setup": "conventional",
            "domain": "a",
            "seed": seed,
            "row": row,
            "truth": label,
            "predicted": predicted,
            "confidence": 0.9 - 0.1 * row,
        }
        for seed, run in enumerate(predictions)
        for row, (predicted, label) in enumerate(zip(run, labels, strict=True))
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def test_disagreement_and_shared_errors_are_means_over_pairs_of_runs() -> None:
    churn, shared = appendix.EXPERIMENT.findings(table(["yynn", "yyny", "ynny"], "yyyy"))
    # Pairs differ in 1, 2 and 1 of 4 rows.
    assert churn.estimate == (1 + 2 + 1) / 12
    # Errors: rows 2 and 3, row 2, rows 1 and 2; shares of one run's errors that the other makes, in both directions.
    assert shared.estimate == (1 / 2 + 1 + 1 / 2 + 1 / 2 + 1 + 1 / 2) / 6


def test_failure_cases_are_wrong_in_every_run_and_the_most_confident_comes_first() -> None:
    row = appendix.EXPERIMENT.summary(table(["nnyy", "nnny"], "yyyy")).to_pylist()[0]
    assert row["wrong in every run"] == 2 / 4
    assert row["wrong in some"] == 1 / 4
    assert row["most confident failure"] == "a row 0: y predicted as n at 0.900"


def test_runs_without_errors_have_no_failure_case() -> None:
    row = appendix.EXPERIMENT.summary(table(["yy", "yy"], "yy")).to_pylist()[0]
    assert row["most confident failure"] == ""
