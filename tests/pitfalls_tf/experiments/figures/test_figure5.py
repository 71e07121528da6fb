"""Harm that the benchmark hid."""

from __future__ import annotations

import pyarrow as pa
import pytest

from pitfalls_tf.experiments.cells.training_cell import SCHEMA
from pitfalls_tf.experiments.figures import figure5
from pitfalls_tf.experiments.figures.figure3 import MODELS
from pitfalls_tf.experiments.tasks import letter_stream
from serving.export.model_name import check_name
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
    (caught,) = figure5.EXPERIMENT.findings(TABLE)
    assert caught.estimate == pytest.approx(0.05 / 0.10)
    assert caught.note == "2 of 3 runs paged"


def letters(metric: str, values: dict[str, float]) -> list[dict[str, object]]:
    """Values of a run on letters by domain."""
    return [
        score_row("conventional", "watched", domain, 0, value, metric=metric) | {"source": "letters"}
        for domain, value in values.items()
    ]


def test_named_families_are_compared_with_those_that_did_harm() -> None:
    first, second, third = list(letter_stream.arrivals())[:3]
    rows = [
        *letters("named: all", {first: 33.0, "Courier Prime": 40.0}),
        *letters("excess", {first: 0.03, second: 0.01, third: -0.02, "Courier Prime": 0.5}),
        *letters("paged", {"all": 1.0}),
    ]
    (row,) = figure5.families_table(pa.Table.from_pylist(rows, schema=SCHEMA)).to_pylist()
    assert (row["named by pages"], row["others named"], row["most harm"]) == (1, 1, first)
    assert row["share of the arrived families' harm"] == pytest.approx(0.75)


def test_a_monitor_without_the_family_is_a_detail() -> None:
    rows = []
    for name, before in (("all", 0.0), ("family not logged", 0.04)):
        for seed in range(3):
            for metric, value in (("hidden", 0.03), ("harm", 0.04), ("before", before), ("paged", 1.0)):
                row = score_row("conventional", "watched", name, seed, value + 1e-4 * seed, metric=metric)
                rows.append(row | {"source": "letters"})
    found = figure5.EXPERIMENT.findings(pa.Table.from_pylist(rows, schema=SCHEMA))
    assert [(one.claim.name, one.where, one.rule) for one in found] == [
        ("the monitor pages in time", "letters, 1 models", "both"),
        ("the monitor pages in time", "letters, family not logged", "first"),
    ]


def test_the_scoreboard_has_a_row_per_fault() -> None:
    rows = [
        *letters("drill detected", {"silence (page)": 1.0, "noise (notice)": 0.5}),
        *letters("drill delay", {"silence (page)": 2.0}),
    ]
    table = figure5.scoreboard(pa.Table.from_pylist(rows, schema=SCHEMA))
    assert table.to_pylist() == [
        {"fault (level)": "silence (page)", "conventional": "100 %, window 2"},
        {"fault (level)": "noise (notice)", "conventional": "50 %"},
    ]


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
