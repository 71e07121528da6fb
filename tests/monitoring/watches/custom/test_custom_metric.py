"""A metric's losses, of every row with a label, and what the model's own probabilities promise of them."""

from __future__ import annotations

import numpy as np
import pytest

from monitoring.errors import BadInput
from monitoring.tasks.classification import Classification
from monitoring.tasks.metrics import find_metric
from monitoring.tasks.multilabel import Multilabel
from monitoring.tasks.regression import Regression
from monitoring.watches.custom.custom_metric import MAX_EXPECTED_CLASSES, CustomMetrics
from monitoring.watches.custom.metric_rows import MetricRows
from monitoring.watches.descriptions import format_value, watch_title
from tests.monitoring.watches.custom.metric_baseline import SPEC, metric, metrics, predictions


def missed(rows: MetricRows) -> object:
    return 0.5 * ((rows.label == "late") & (rows.prediction == "on_time"))


def test_losses_are_the_functions_and_an_unknown_class_has_the_largest() -> None:
    rows = predictions()
    labelled = rows.take(np.flatnonzero(rows.labels != -1))
    scores = metrics(missed).scores(SPEC.task, labelled.probabilities, labelled.labels, labelled.features)
    late = labelled.probabilities[:, 1]
    expected = 0.5 * ((labelled.labels == 1) & (late <= 0.5))
    assert scores["metric:missed"].tolist() == [1.0, *expected[1:].tolist()]
    promised = 0.5 * late * (late <= 0.5)
    surprise = scores["surprise_metric:missed"]
    assert np.allclose(2.0 * surprise[1:] - 1.0, (expected - promised)[1:])
    assert surprise[0] == 0.5  # whatever the label is, nothing is expected of it


def test_if_higher_is_better_the_loss_is_what_is_left_to_one() -> None:
    rows = predictions(np.ones(400, np.int64))
    scores = metrics(missed, higher_is_better=True).scores(SPEC.task, rows.probabilities, rows.labels, rows.features)
    assert set(scores["complement:missed"].tolist()) == {0.5, 1.0}


def test_surprise_is_known_where_probabilities_of_few_classes_are() -> None:
    def names(task: object) -> list[str]:
        return [watch.name for watch in metrics(missed).watches(task)]  # type: ignore[arg-type]

    assert names(Classification(classes=("a", "b"))) == ["metric:missed", "surprise_metric:missed"]
    assert names(Classification(classes=("a", "b"), has_probabilities=False)) == ["metric:missed"]
    many = tuple(map(str, range(MAX_EXPECTED_CLASSES + 1)))
    assert names(Classification(classes=many)) == names(Multilabel(classes=("a", "b"))) == ["metric:missed"]
    assert names(Regression()) == ["metric:missed"]


def test_only_the_inputs_of_a_metric_are_there() -> None:
    both = CustomMetrics(
        metrics=(
            metric(lambda rows: rows["temp"] > 50.0, inputs=("temp",)),
            metric(lambda rows: rows["temp"] > 50.0, inputs=("origin",)),
        )
    )
    assert both.inputs == ("temp", "origin")
    rows = predictions(np.ones(400, np.int64))
    with pytest.raises(BadInput, match=r"'temp' is not in the metric's `inputs` \(origin\)"):
        both.scores(SPEC.task, rows.probabilities, rows.labels, rows.features)


def test_the_error_names_the_line_and_rounding_is_none() -> None:
    code = compile("def own(rows):\n    raise ValueError('too hot')\n", "own.py", "exec")
    names: dict[str, object] = {}
    exec(code, names)  # noqa: S102 - a function of a file, as a config names one
    rows = predictions(np.ones(400, np.int64))
    seen = MetricRows.of(SPEC.task, rows.probabilities, rows.labels, rows.features)
    with pytest.raises(BadInput, match=r"ValueError: too hot \(own\.py, line 2\) from own:missed; expected no error"):
        metric(names["own"]).values(seen)  # type: ignore[arg-type]
    assert metric(lambda rows: np.full(len(rows), 1.0 + 1e-12)).values(seen).max() == 1.0


def test_a_metric_is_read_as_a_score() -> None:
    assert find_metric("metric:missed") is not None
    assert watch_title("surprise_metric:missed") == "Metric missed above expectation"
    assert watch_title("complement:hit_rate") == "Metric 1 \N{MINUS SIGN} hit_rate"
    assert format_value("metric:missed", 0.25) == "0.250"
