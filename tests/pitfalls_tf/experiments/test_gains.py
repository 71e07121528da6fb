"""Gains between setups of an experiment's table."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from pitfalls_tf.experiments.cells.training_cell import SCHEMA
from pitfalls_tf.experiments.gains import best_on_benchmark, compare_setups, gain_interval, mean_gain, outcome_text
from tests.pitfalls_tf.experiments.score_rows import score_row, score_table

GAINS = st.tuples(st.integers(1, 4), st.integers(2, 6)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.floats(-1, 1, width=32))
)


def test_a_smaller_score_is_a_gain() -> None:
    verdict = compare_setups(score_table({("a", "deployed"): 0.1, ("b", "deployed"): 0.2}), "flights", "a", "b")
    estimate, interval = gain_interval(verdict)
    assert estimate == pytest.approx(0.1)
    assert interval.low < estimate < interval.high
    assert outcome_text(verdict) == "better"


def test_one_seed_has_no_verdict() -> None:
    table = score_table({("a", "deployed"): 0.1, ("b", "deployed"): 0.2}, seeds=1)
    verdict = compare_setups(table, "flights", "a", "b")
    assert verdict is None
    assert outcome_text(verdict) == "too few seeds"
    assert np.isnan(gain_interval(verdict)[0])


@settings(max_examples=30)
@given(GAINS)
def test_opposite_gains_have_opposite_means_and_intervals(gains: NDArray[np.float64]) -> None:
    (mean, interval), (opposite, of_opposite) = mean_gain(gains), mean_gain(-gains)
    assert mean == pytest.approx(-opposite)
    assert (interval.low, interval.high) == pytest.approx((-of_opposite.high, -of_opposite.low), abs=1e-9)


def test_the_interval_of_a_mean_gain_needs_two_seeds() -> None:
    estimate, interval = mean_gain(np.array([[0.1]]))
    assert estimate == pytest.approx(0.1)
    assert np.isnan(interval.low)
    assert np.isnan(mean_gain(np.empty((0, 3)))[0])


def test_the_best_setup_is_chosen_on_the_benchmark_and_not_in_deployment() -> None:
    values = {("conventional", "random"): 0.05, ("x", "random"): 0.1, ("y", "random"): 0.15, ("y", "deployed"): 0.01}
    assert best_on_benchmark(score_table(values), "flights", "conventional") == "x"


def test_a_setup_with_a_diverged_run_is_not_chosen() -> None:
    table = score_table({("conventional", "random"): 0.2, ("x", "random"): 0.1, ("y", "random"): 0.15})
    row = score_row("x", "training", "all", 9, 1.0, metric="diverged")
    diverged = pa.Table.from_pylist([row], schema=SCHEMA)
    assert best_on_benchmark(pa.concat_tables([table, diverged]), "flights", "conventional") == "y"
