"""Several predicted numbers: each as one number is, and the means over them in the unit of what is predicted."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from monitoring.errors import BadInput
from monitoring.tasks.metrics import find_metric, mean_of_parts, part_of
from monitoring.tasks.regression import Regression
from monitoring.tasks.task import NO_LABEL
from monitoring.tasks.vector_regression import MAX_NUMBERS, VectorRegression

RNG = np.random.default_rng(0)
TRUTH = RNG.normal([20.0, 1000.0, 5.0], [5.0, 100.0, 1.0], (2_000, 3))
ANSWERS = TRUTH + RNG.normal(0.0, [1.0, 30.0, 0.1], TRUTH.shape)
CODES = TRUTH.view(np.int64)
TASK = VectorRegression.named(("temp", "pressure", "hum")).fitted(ANSWERS, CODES)


def test_each_number_is_bounded_and_scored_as_it_would_be_alone() -> None:
    losses = TASK.losses(ANSWERS, CODES)
    for place, name in enumerate(TASK.names):
        alone = Regression().fitted(ANSWERS[:, [place]], CODES[:, place])
        assert TASK.numbers[place] == alone
        own = alone.losses(ANSWERS[:, [place]], CODES[:, place])
        np.testing.assert_array_equal(losses[f"number_absolute_error:{name}"], own["absolute_error"])
        np.testing.assert_array_equal(losses[f"number_bias:{name}"], own["bias"])


def test_the_means_are_those_of_the_bounded_errors_in_the_unit_of_what_is_predicted() -> None:
    bounds = np.array([one.bound for one in TASK.numbers])
    errors = np.minimum(np.abs(ANSWERS - TRUTH), bounds)
    losses = TASK.losses(ANSWERS, CODES)
    np.testing.assert_allclose(losses["absolute_error"] * TASK.scales["absolute_error"], errors.mean(axis=1))
    np.testing.assert_allclose(losses["squared_error"] * TASK.scales["squared_error"], (errors**2).mean(axis=1))
    wild = TASK.losses(ANSWERS + 1e9, CODES)
    assert all(((scores >= 0.0) & (scores <= 1.0)).all() for scores in wild.values())
    assert wild["absolute_error"].min() == pytest.approx(1.0)


def test_every_watch_has_a_score_and_words() -> None:
    losses, outputs = TASK.losses(ANSWERS, CODES), TASK.outputs(ANSWERS)
    for watch in TASK.loss_watches:
        name = watch.name.removeprefix("surprise_")
        assert name in losses
        assert find_metric(name) is not None
    assert [watch.name for watch in TASK.output_watches] == list(outputs)
    assert {part_of(name) for name in losses} == {None, *TASK.names}
    assert mean_of_parts("number_absolute_error:temp") == "absolute_error"
    assert TASK.metrics[:3] == ("absolute_error", "squared_error", "percentage_error")
    scores = TASK.score(ANSWERS)
    np.testing.assert_allclose(scores, TASK.score(ANSWERS, outputs))
    assert 0.4 < scores.mean() < 0.6


def test_percentages_are_watched_where_all_labels_are_above_zero() -> None:
    signed = TRUTH - [0.0, 1000.0, 0.0]
    task = VectorRegression.named(("a", "b", "c")).fitted(signed, signed.view(np.int64))
    assert task.means == ("absolute_error", "squared_error")


def test_a_quantile_has_its_own_loss_for_each_number() -> None:
    task = TASK.with_quantile(0.9)
    assert task.metrics == ("pinball_loss", *(f"number_pinball_loss:{name}" for name in TASK.names))
    losses = task.losses(ANSWERS, CODES)
    assert losses["number_quantile_coverage:temp"].mean() == pytest.approx(0.5, abs=0.05)


def test_it_survives_json_and_reads_labels_as_text() -> None:
    assert VectorRegression.of(json.loads(json.dumps(TASK.document()))) == TASK
    codes = TASK.label_codes(pa.chunked_array([["[1,2,3]", "[1,2]", None]], pa.string()))
    assert codes[0].view(np.float64).tolist() == [1.0, 2.0, 3.0]
    assert (codes[1:] == NO_LABEL).all()
    assert not TASK.unknown(codes).any()
    assert not TASK.respelled(pa.chunked_array([["[1,2]"]])).any()


def test_a_baseline_without_labels_has_bounds_all_the_same() -> None:
    task = VectorRegression.named(("a", "b")).fitted(ANSWERS[:, :2], np.full(len(ANSWERS), NO_LABEL))
    assert all(one.bound > 0.0 for one in task.numbers)


@pytest.mark.parametrize("names", [("a",), ("a", "a"), tuple(map(str, range(MAX_NUMBERS + 1)))], ids=len)
def test_names_that_cannot_be_told_apart_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(BadInput, match="cannot be the numbers of one prediction"):
        VectorRegression.named(names)
