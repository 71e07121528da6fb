"""Importance weights against a density ratio that is known, and the regression against an optimiser."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from scipy.optimize import minimize

from pitfalls_tf.fitting.recipe import Batch
from pitfalls_tf.remedies.adaptation.importance import effective_rows, fit_density_ratio, logistic_regression
from tests.pitfalls_tf.small_examples import rows


def test_logistic_regression_is_at_the_minimum() -> None:
    random = np.random.default_rng(0)
    inputs = random.normal(size=(60, 3))
    truths = (inputs[:, 0] + random.normal(size=60) > 0).astype(float)

    def objective(coefficients: np.ndarray) -> float:
        scores = coefficients[0] + inputs @ coefficients[1:]
        return float(np.logaddexp(0, scores).sum() - truths @ scores + 0.5 * (coefficients[1:] ** 2).sum())

    best = minimize(
        objective, np.zeros(4), method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-10, "maxiter": 9999}
    )
    assert logistic_regression(inputs, truths) == pytest.approx(best.x, abs=1e-4)
    apart = logistic_regression(np.array([[-50.0], [-40.0], [40.0], [50.0]]), np.array([0.0, 0.0, 1.0, 1.0]))
    assert np.isfinite(apart).all()  # a line parts them: the prior keeps the slopes finite


def test_weights_are_the_ratio_of_two_normal_densities() -> None:
    """N(.5, 1) against N(0, 1) in every column: log ratio = sum(.5 x - .125)."""
    training, target = rows(6_000, seed=1), rows(3_000, seed=2, shift=0.5)
    ratio = fit_density_ratio(training, target, largest=100.0)
    truly = np.exp((0.5 * training.inputs - 0.125).sum(axis=1))
    said = ratio.weights(training.inputs)
    assert np.corrcoef(np.log(said), np.log(truly))[0, 1] > 0.99
    assert np.abs(np.log(said / truly)).mean() < 0.15
    assert said[training.labelled].mean() == pytest.approx(1)
    weighted_mean = (said[:, None] * training.inputs).mean(axis=0)
    assert weighted_mean == pytest.approx(0.5, abs=0.1)
    assert effective_rows(said) < len(said)
    assert effective_rows(fit_density_ratio(training, rows(3_000, seed=3)).weights(training.inputs)) > 0.9 * len(said)


def test_weights_are_cut_and_equal_inside_a_fit() -> None:
    training, target = rows(500, seed=1), rows(200, seed=2, shift=2.0)
    ratio = fit_density_ratio(training, target, largest=3.0)
    said = ratio.weights(training.inputs)
    assert said.max() * ratio.mean == pytest.approx(3.0)
    batch = Batch(inputs=tf.constant(training.inputs), truths=None, domains=None)
    counted, _ = ratio(batch, None, None, tf.constant(0.0))
    assert counted.numpy() == pytest.approx(said, rel=1e-3)
    blind = replace(target, targets=np.full(len(target), -1))
    assert fit_density_ratio(training, blind, largest=3.0) == ratio
