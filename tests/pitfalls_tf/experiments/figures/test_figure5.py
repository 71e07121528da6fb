"""Harm that the benchmark hid."""

from __future__ import annotations

import pyarrow as pa
import pytest

from pitfalls_tf.experiments.cells.training_cell import SCHEMA
from pitfalls_tf.experiments.figures import figure5
from pitfalls_tf.experiments.figures.figure3 import MODELS
from serving.export.export import check_name
from tests.pitfalls_tf.experiments.score_rows import score_row


def run(model: str, seed: int, **values: float | None) -> list[dict[str, object]]:
    """The rows of a served and monitored run."""
    return [score_row(model, "watched", "all", seed, value, metric=name) for name, value in values.items()]


TABLE = pa.Table.from_pylist(
    [
        *run("mlp", 1, promised=0.1, hidden=0.02, harm=0.04, before=0.01, days=10.0, paged=1.0),
        *run("mlp", 0, promised=0.1, hidden=0.04, harm=0.04, before=0.04, days=None, paged=0.0),
        *run("wide_mlp", 0, promised=0.1, hidden=0.03, harm=0.02, before=0.0, days=1.0, paged=1.0),
    ],
    schema=SCHEMA,
)


def test_harm_before_the_page_is_a_share_of_the_harm_of_all_runs() -> None:
    hidden, caught = figure5.EXPERIMENT.findings(TABLE)
    assert hidden.estimate == pytest.approx(0.03)
    assert caught.estimate == pytest.approx(0.05 / 0.10)
    assert caught.note == "2 of 3 runs paged"


def test_the_summary_has_a_row_per_run_in_the_order_of_seeds() -> None:
    rows = figure5.EXPERIMENT.summary(TABLE).to_pylist()
    assert [(row["model"], row["seed"], row["share"]) for row in rows] == [
        ("mlp", 0, 1.0),
        ("mlp", 1, 0.25),
        ("wide mlp", 0, 0.0),
    ]


def test_every_model_of_figure_3_has_a_name_that_the_server_accepts() -> None:
    assert len(figure5.SETUPS) == len(MODELS)
    for name in figure5.SETUPS:
        check_name(f"{name}-0")
