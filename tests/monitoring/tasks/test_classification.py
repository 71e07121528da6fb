"""Classification: bounded losses of the literature, what probabilities promise, and watches on outputs."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given

from monitoring.tasks.classification import CONFIDENCE, Classification, expected_costs
from monitoring.tasks.task import NO_LABEL, UNKNOWN_CLASS, Floats, Whole, surprises
from tests.monitoring.watches.labelled_rows import Sample, samples


def task_of(answers: Floats) -> Classification:
    return Classification(classes=tuple(str(place) for place in range(answers.shape[1])))


def losses(answers: Floats, labels: Whole) -> dict[str, Floats]:
    return task_of(answers).losses(answers, labels)


def expected(answers: Floats) -> dict[str, Floats]:
    return task_of(answers).expected_losses(answers, task_of(answers).outputs(answers))


@given(samples())
def test_losses_are_between_zero_and_one(sample: Sample) -> None:
    for found in losses(*sample).values():
        assert found.shape == sample[1].shape
        assert ((found >= -1e-12) & (found <= 1.0 + 1e-12)).all()


@given(samples())
def test_losses_are_those_of_their_definitions(sample: Sample) -> None:
    answers, labels = sample
    found = losses(answers, labels)
    one_hot = np.eye(answers.shape[1])[labels]
    np.testing.assert_allclose(found["brier"], ((answers - one_hot) ** 2).sum(axis=1) / 2.0, atol=1e-12)
    np.testing.assert_array_equal(found["error"], answers.argmax(axis=1) != labels)


@given(samples(classes=2))
def test_for_two_classes_the_brier_score_is_the_squared_error_of_one_probability(sample: Sample) -> None:
    answers, labels = sample
    np.testing.assert_allclose(losses(answers, labels)["brier"], (answers[:, 1] - labels) ** 2, atol=1e-12)


@given(samples())
def test_the_order_of_rows_does_not_change_a_rows_loss(sample: Sample) -> None:
    answers, labels = sample
    reverse = losses(answers[::-1], labels[::-1])
    for name, found in losses(answers, labels).items():
        np.testing.assert_array_equal(found, reverse[name][::-1])


def test_more_wrong_probability_is_more_loss() -> None:
    wrong = np.linspace(0.0, 1.0, 11)
    found = losses(np.stack([wrong, 1.0 - wrong], axis=1), np.ones(11, np.int64))
    assert (np.diff(found["brier"]) > 0.0).all()
    assert (np.diff(found["error"]) >= 0.0).all()


def test_without_rows_there_are_no_losses() -> None:
    found = losses(np.zeros((0, 3)), np.zeros(0, np.int64))
    assert {name: one.shape for name, one in found.items()} == {"error": (0,), "brier": (0,)}


@given(samples())
def test_the_expected_loss_is_the_mean_loss_over_labels_drawn_by_the_probabilities(sample: Sample) -> None:
    answers, _ = sample
    count, classes = answers.shape
    by_label = [losses(answers, np.full(count, label)) for label in range(classes)]
    for metric, found in expected(answers).items():
        mean = sum(answers[:, label] * one[metric] for label, one in enumerate(by_label))
        np.testing.assert_allclose(found, mean, atol=1e-9)


def test_a_calibrated_model_is_not_surprised_on_average() -> None:
    rng = np.random.default_rng(0)
    late = rng.beta(2, 5, 200_000)
    labels = (rng.random(late.size) < late).astype(np.int64)
    answers = np.stack([1 - late, late], axis=1)
    found = surprises(losses(answers, labels), expected(answers))
    assert abs(found["surprise_brier"].mean() - 0.5) < 0.002
    assert abs(found["surprise_error"].mean() - 0.5) < 0.002


def test_an_overconfident_model_is_surprised_and_harder_traffic_alone_is_not() -> None:
    rng = np.random.default_rng(1)
    truth = rng.uniform(0.3, 0.7, 50_000)  # hard rows, but the model knows it
    labels = (rng.random(truth.size) < truth).astype(np.int64)
    honest = np.stack([1 - truth, truth], axis=1)
    bold = np.where(truth > 0.5, 0.95, 0.05)
    overconfident = np.stack([1 - bold, bold], axis=1)
    found = [surprises(losses(one, labels), expected(one))["surprise_error"].mean() for one in (honest, overconfident)]
    assert found[0] == pytest.approx(0.5, abs=0.01)
    assert found[1] > 0.6


def test_losses_page_and_need_labels_and_without_probabilities_only_the_error_is_watched() -> None:
    watches = Classification(classes=("no", "yes")).loss_watches
    assert [watch.name for watch in watches] == ["error", "brier", "surprise_error", "surprise_brier"]
    assert {(watch.level, watch.needs_label, watch.direction) for watch in watches} == {("page", True, "up")}
    certain = Classification(classes=("no", "yes"), has_probabilities=False)
    assert [watch.name for watch in certain.loss_watches] == ["error"]
    assert CONFIDENCE not in {watch.name for watch in certain.output_watches}


@given(samples(classes=3))
def test_outputs_are_the_probabilities_and_the_largest_of_them(sample: Sample) -> None:
    answers, _ = sample
    found = Classification(classes=("a", "b", "c")).outputs(answers)
    for place, name in enumerate(("a", "b", "c")):
        np.testing.assert_array_equal(found[f"output:{name}"], answers[:, place])
    np.testing.assert_array_equal(found[CONFIDENCE], answers.max(axis=1))


@pytest.mark.parametrize("classes", [("no", "yes"), ("a", "b", "c"), ("a", "b", "c", "d")])
def test_every_output_watch_has_its_scores_and_no_score_is_without_a_watch(classes: tuple[str, ...]) -> None:
    task, answers = Classification(classes=classes), np.full((4, len(classes)), 1.0 / len(classes))
    assert {watch.name for watch in task.output_watches} == set(task.outputs(answers))
    found = {(watch.level, watch.direction, watch.needs_label) for watch in task.output_watches}
    assert found == {("notice", "both", False)}


def test_of_two_classes_the_second_says_it_all() -> None:
    found = Classification(classes=("no", "yes")).outputs(np.array([[0.25, 0.75]]))
    assert set(found) == {"output:yes", "output:confidence"}


def test_rows_are_grouped_by_the_second_class_or_by_confidence() -> None:
    answers = np.array([[0.2, 0.3, 0.5], [0.9, 0.05, 0.05]])
    task = task_of(answers)
    assert task.score(answers).tolist() == task.score(answers, task.outputs(answers)).tolist() == [0.5, 0.9]
    assert task.score(np.zeros((0, 3))).tolist() == []
    assert Classification(classes=("no", "yes")).score(np.array([[0.25, 0.75]])).tolist() == [0.75]


def test_an_unknown_class_is_an_error_whatever_the_answer() -> None:
    answers = np.array([[0.9, 0.1], [0.5, 0.5]])
    found = losses(answers, np.full(2, UNKNOWN_CLASS))
    assert found["error"].tolist() == [1.0, 1.0]
    assert found["brier"].tolist() == pytest.approx([(0.81 + 0.01 + 1.0) / 2.0, 0.75])


def test_names_count_whatever_their_case_unless_classes_differ_by_it() -> None:
    words = pa.chunked_array([["cat", " Cat", "horse", "", None]])
    task = Classification(classes=("cat", "cow"))
    assert task.label_codes(words).tolist() == [0, 0, UNKNOWN_CLASS, NO_LABEL, NO_LABEL]
    assert task.respelled(words).tolist() == [False, True, False, False, False]
    both = Classification(classes=("cat", "CAT"))
    assert both.label_codes(words).tolist() == [0, UNKNOWN_CLASS, UNKNOWN_CLASS, NO_LABEL, NO_LABEL]
    assert not both.respelled(words).any()


def test_costs_are_those_of_the_matrix_over_the_largest_and_an_unknown_class_costs_it() -> None:
    costs = ((0.0, 4.0, 8.0), (2.0, 0.0, 2.0), (1.0, 1.0, 0.0))
    task = Classification(classes=("a", "b", "c"), costs=costs)
    answers = np.array([[0.1, 0.2, 0.7]] * 4)
    assert (task.losses(answers, np.array([0, 1, 2, UNKNOWN_CLASS]))["cost"] * 8.0).tolist() == [8.0, 2.0, 0.0, 8.0]
    expected = task.expected_losses(answers, task.outputs(answers))["cost"]
    assert float(expected[0]) * 8.0 == pytest.approx(0.1 * 8.0 + 0.2 * 2.0)
    watches = {watch.name: watch for watch in task.loss_watches}
    assert (watches["cost"].value(1.0), watches["surprise_cost"].value(0.0)) == (8.0, -8.0)
    assert "cost" not in Classification(classes=("a", "b")).metrics


def test_expected_costs_have_the_mean_and_the_variance_of_drawn_labels() -> None:
    rng = np.random.default_rng(0)
    answers = rng.dirichlet([1.0, 1.0, 1.0], 20_000)
    costs = ((0.0, 4.0, 8.0), (2.0, 0.0, 2.0), (1.0, 1.0, 0.0))
    labels = (rng.random(len(answers))[:, None] > np.cumsum(answers, axis=1)).sum(axis=1)
    realised = Classification(classes=("a", "b", "c"), costs=costs).losses(answers, labels)["cost"]
    means, variances = expected_costs(answers, answers, costs)
    assert float(realised.mean()) == pytest.approx(float(means.mean()), abs=0.01)
    assert float(((realised - means) ** 2).mean()) == pytest.approx(float(variances.mean()), rel=0.05)
