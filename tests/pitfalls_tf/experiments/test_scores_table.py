"""Values of an experiment's table as arrays."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pitfalls_tf.experiments.cells.training_cell import SCHEMA
from pitfalls_tf.experiments.scores_table import (
    count_diverged,
    distinct_values,
    epoch_curves,
    score_matrix,
    select_rows,
    with_common_seeds,
)
from tests.pitfalls_tf.experiments.score_rows import score_row


def table(rows: list[dict[str, object]]) -> pa.Table:
    """Rows as a table."""
    return pa.Table.from_pylist(rows, schema=SCHEMA)


SCORES = table(
    [
        score_row("x", "deployed", "b", 1, 0.4),
        score_row("x", "deployed", "a", 1, 0.3),
        score_row("x", "deployed", "a", 0, 0.1),
        score_row("x", "deployed", "b", 0, 0.2),
        score_row("x", "deployed", "a", 2, 0.5),
        score_row("x", "deployed", "b", 2, None),
        score_row("x", "random", "all", 0, 0.9),
        score_row("y", "deployed", "a", 1, 0.7),
        score_row("y", "deployed", "b", 1, 0.8),
    ]
)


def test_a_matrix_has_the_seeds_with_a_score_in_every_domain() -> None:
    found = score_matrix(SCORES, source="flights", setup="x", split="deployed", metric="brier")
    assert (found.domains, found.seeds) == (("a", "b"), (0, 1))
    assert found.values.tolist() == [[0.1, 0.3], [0.2, 0.4]]
    assert np.allclose(found.by_seed, [0.15, 0.35])
    assert np.allclose(found.by_domain, [0.2, 0.3])


def test_a_setup_without_scores_has_an_empty_matrix() -> None:
    found = score_matrix(SCORES, source="flights", setup="z", split="deployed", metric="brier")
    assert found.values.shape == (0, 0)
    assert found.by_seed.shape == found.by_domain.shape == (0,)


def test_pairs_keep_the_common_seeds() -> None:
    one, other = (
        score_matrix(SCORES, source="flights", setup=name, split="deployed", metric="brier") for name in ("x", "y")
    )
    first, second = with_common_seeds(one, other)
    assert first.seeds == second.seeds == (1,)
    assert first.values.tolist() == [[0.3], [0.4]]
    assert second.values.tolist() == [[0.7], [0.8]]


def test_rows_are_selected_by_all_given_columns_and_values_keep_their_order() -> None:
    assert len(select_rows(SCORES, setup="x", split="deployed")) == 6
    assert distinct_values(SCORES, "domain") == ["b", "a", "all"]


def test_epoch_curves_are_ordered_by_epoch() -> None:
    rows = [
        {**score_row("x", "random", "all", seed, value, metric="loss"), "epoch": epoch}
        for seed, epoch, value in ((1, 2, 0.5), (1, 1, 0.9), (0, 1, 0.8), (0, 2, None))
    ]
    curves = epoch_curves(table(rows), source="flights", setup="x", metric="loss")
    assert curves[1].tolist() == [0.9, 0.5]
    assert curves[0][0] == 0.8
    assert np.isnan(curves[0][1])


def test_diverged_runs_are_counted() -> None:
    rows = [score_row("x", "training", "all", seed, float(seed == 1), metric="diverged") for seed in range(3)]
    assert count_diverged(table(rows), source="flights", setup="x") == (1, 3)
