"""Outputs without a loss: numbers are ranked among the baseline's, labels say nothing, and JSON keeps the task."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa

from monitoring.tasks.outputs_only import OutputsOnly, WatchedOutput
from monitoring.tasks.task import NO_LABEL

WATCHED = (WatchedOutput(name="tags", width=2), WatchedOutput(name="pixels", width=16))
RNG = np.random.default_rng(0)
ANSWERS = RNG.normal(size=(400, 5))
TASK = OutputsOnly(watched=WATCHED).fitted(ANSWERS)


def test_each_number_has_a_location_and_a_spread_among_the_baselines_own() -> None:
    assert TASK.number_names == ("tags[0]", "tags[1]", "pixels mean", "pixels deviation", "pixels largest")
    names = [watch.name for watch in TASK.output_watches]
    assert names[:2] == ["prediction:tags[0]:location", "prediction:tags[0]:spread"]
    scores = TASK.outputs(ANSWERS)
    assert list(scores) == names
    assert all(abs(float(values.mean()) - 0.5) < 0.02 for values in scores.values())
    far = TASK.outputs(ANSWERS + 10.0)
    assert all(values.min() == 1.0 for values in far.values())


def test_no_loss_is_made_of_labels_whatever_they_are() -> None:
    labels = TASK.label_codes(pa.chunked_array([["late", "3.5", " ", None]]))
    assert labels.tolist() == [0, 0, NO_LABEL, NO_LABEL]
    assert (TASK.metrics, TASK.loss_watches, TASK.losses(ANSWERS[:4], labels)) == ((), (), {})


def test_the_task_is_read_back_from_json() -> None:
    assert OutputsOnly.of(json.loads(json.dumps(TASK.document()))) == TASK
