"""AUC, F1, precision, recall, calibration error and log loss from counts are those of the rows; intervals cover."""

from __future__ import annotations

import numpy as np
import pytest

from monitoring.baseline.metrics import area_under_curve, measure
from monitoring.records import MeasuredMetric
from monitoring.tasks.classification import Classification
from monitoring.tasks.multilabel import Multilabel
from monitoring.tasks.task import UNKNOWN_CLASS, Floats, Whole
from monitoring.watches.measured.class_metrics import BINS, MAX_CLASSES, ClassMetrics

BINARY = Classification(classes=("no", "yes"))
THREE = Classification(classes=("a", "b", "c"))


def rows(count: int, seed: int = 0, *, shift: float = 0.0) -> tuple[Floats, Whole]:
    rng = np.random.default_rng(seed)
    yes = 1 / (1 + np.exp(-rng.normal(-1.5, 1.5, count)))
    given = 1 / (1 + np.exp(-np.log(yes / (1 - yes)) - shift))
    return np.stack([1 - given, given], axis=1), (rng.random(count) < yes).astype(np.int64)


def of(metrics: ClassMetrics, answers: Floats, labels: Whole, seed: int | None = 0) -> dict[str, MeasuredMetric]:
    rng = None if seed is None else np.random.default_rng(seed)
    return {one.metric: one for one in metrics.measured(metrics.tally(answers, labels), rng)}


def test_the_counts_of_two_classes_give_the_metrics_of_the_rows() -> None:
    metrics, (answers, labels) = ClassMetrics.fit(BINARY, rows(20_000, 1)[0]), rows(5_000, 2, shift=0.7)
    found, exact = of(metrics, answers, labels), measure(answers, labels)
    told, late = answers[:, 1] >= 0.5, labels == 1
    assert exact.auc is not None
    assert found["auc"].value == pytest.approx(exact.auc, abs=1e-3)
    assert found["log_loss"].value == pytest.approx(exact.log_loss, rel=1e-6)
    assert found["precision"].value == pytest.approx(float(late[told].mean()))
    assert found["recall"].value == pytest.approx(float(told[late].mean()))
    assert found["f1"].value == pytest.approx(2 * (told & late).sum() / (told.sum() + late.sum()))
    assert found["calibration_error"].value == pytest.approx(exact.calibration_error, abs=0.01)
    assert {one.rows for one in found.values()} == {5_000}


def test_the_error_of_the_auc_is_at_most_half_the_share_of_pairs_in_one_bin() -> None:
    metrics, (answers, labels) = ClassMetrics.fit(BINARY, rows(20_000, 1)[0]), rows(400, 3, shift=2.0)
    bins = metrics.bins[0].binner.places(answers[:, 1])
    ups, downs = (np.bincount(bins[labels == one], minlength=metrics.bins[0].size) for one in (1, 0))
    bound = float(ups @ downs) / 2 / (ups.sum() * downs.sum())
    exact = area_under_curve(answers[:, 1], labels == 1)
    assert exact is not None
    assert abs(of(metrics, answers, labels)["auc"].value - exact) <= bound
    assert metrics.bins[0].size <= BINS + 1


def test_parts_add_up_to_the_whole_in_any_order_and_unknown_labels_do_not_count() -> None:
    metrics, (answers, labels) = ClassMetrics.fit(BINARY, rows(5_000, 1)[0]), rows(3_000, 2)
    whole = metrics.tally(answers, labels)
    places = np.random.default_rng(0).permutation(3_000)
    parts = [metrics.tally(answers[some], labels[some]) for some in np.array_split(places, 7)]
    assert all(np.array_equal(sum(part[name] for part in parts), counts) for name, counts in whole.items())
    with_unknown = metrics.tally(np.vstack([answers, answers[:1]]), np.append(labels, UNKNOWN_CLASS))
    assert all(np.array_equal(with_unknown[name], counts) for name, counts in whole.items())


def test_intervals_hold_the_truth_about_as_often_as_they_say_and_are_the_same_again() -> None:
    metrics, (answers, labels) = ClassMetrics.fit(BINARY, rows(20_000, 1)[0]), rows(200_000, 9)
    truth = of(metrics, answers, labels, None)
    drawn = [of(metrics, *rows(400, seed), seed) for seed in range(100, 200)]
    for name in ("auc", "f1", "precision", "recall", "log_loss"):
        held = np.mean([one[name].low <= truth[name].value <= one[name].high for one in drawn])
        assert 0.88 <= held <= 1.0, name
    usual = np.mean(
        [one["calibration_error"].value for one in drawn]
    )  # of windows of so many rows: far above the truth
    assert usual > 2.0 * truth["calibration_error"].value
    assert np.mean([one["calibration_error"].low <= usual <= one["calibration_error"].high for one in drawn]) >= 0.88
    assert drawn[0] == of(metrics, *rows(400, 100), 100)
    assert truth["auc"].low == truth["auc"].value == truth["auc"].high


def test_of_more_classes_the_means_over_classes_are_shown() -> None:
    rng = np.random.default_rng(0)
    answers = rng.dirichlet([2.0, 1.0, 1.0], 4_000)
    labels = (rng.random(4_000)[:, None] > np.cumsum(answers, axis=1)).sum(axis=1)
    found = of(ClassMetrics.fit(THREE, answers), answers, labels)
    chosen = answers.argmax(axis=1)
    recalls = [float((chosen == one)[labels == one].mean()) for one in range(3)]
    areas = [area_under_curve(answers[:, one], labels == one) or 0.0 for one in range(3)]
    assert found["macro_recall"].value == pytest.approx(np.mean(recalls))
    assert found["macro_auc"].value == pytest.approx(np.mean(areas), abs=1e-3)
    assert found["macro_auc"].low < found["macro_auc"].value < found["macro_auc"].high
    alone = labels == 0  # only one class in the window: an AUC of none is defined, a recall of the one is
    few = of(ClassMetrics.fit(THREE, answers), answers[alone], labels[alone])
    assert "macro_auc" not in few
    assert few["macro_recall"].value == pytest.approx(recalls[0])


def test_sets_of_classes_are_measured_class_by_class() -> None:
    task, answers = Multilabel(classes=("dog", "cat")), np.array([[0.9, 0.2], [0.6, 0.7], [0.1, 0.4], [0.2, 0.9]])
    labels = np.array([0b01, 0b10, 0b00, 0b11])
    found = of(ClassMetrics.fit(task, answers), answers, labels)
    assert found["macro_precision"].value == pytest.approx((1 / 2 + 2 / 2) / 2)
    assert found["macro_recall"].value == pytest.approx((1 / 2 + 2 / 2) / 2)
    right = np.array([[0.9, 0.8], [0.4, 0.7], [0.9, 0.6], [0.2, 0.9]])
    assert found["log_loss"].value == pytest.approx(float(-np.log(right).mean()))


def test_what_is_not_defined_is_left_out() -> None:
    answers, labels = rows(300, 1)
    predicted = Classification(classes=("no", "yes"), has_probabilities=False)
    certain = np.eye(2)[answers.argmax(axis=1)]
    assert set(of(ClassMetrics.fit(predicted, certain), certain, labels)) == {"f1", "precision", "recall"}
    metrics = ClassMetrics.fit(BINARY, answers)
    assert "precision" not in of(metrics, answers[answers[:, 1] < 0.5], labels[answers[:, 1] < 0.5])
    assert metrics.measured({}) == metrics.measured(metrics.tally(answers[:0], labels[:0])) == []
    many = Classification(classes=tuple(map(str, range(MAX_CLASSES + 1))))
    wide = np.full((10, MAX_CLASSES + 1), 1 / (MAX_CLASSES + 1))
    assert set(of(ClassMetrics.fit(many, wide), wide, np.arange(10))) == {"log_loss"}


def test_the_threshold_is_the_users() -> None:
    answers, labels = rows(2_000, 1)
    found = of(ClassMetrics.fit(BINARY, answers, 0.2), answers, labels)
    told = answers[:, 1] >= 0.2
    assert found["recall"].value == pytest.approx(float(told[labels == 1].mean()))
    assert found["precision"].value == pytest.approx(float((labels == 1)[told].mean()))
