"""The digest of a task."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pitfalls_tf.experiments.tasks.task import Task, task_digest
from tests.pitfalls_tf.experiments.small_task import small_task


def shifted(task: Task) -> Task:
    """The task with one changed input."""
    inputs = task.training.inputs.copy()
    inputs[0, 0] += np.float32(1e-6)
    return replace(task, training=replace(task.training, inputs=inputs))


def test_equal_rows_have_equal_digests() -> None:
    assert task_digest(small_task()) == task_digest(small_task())


@pytest.mark.parametrize(
    "change",
    [
        shifted,
        lambda task: replace(task, target=None),
        lambda task: replace(task, source="other"),
        lambda task: replace(task, parts=()),
        lambda task: replace(task, training=task.validation, validation=task.training),
        lambda task: replace(task, parts=(replace(task.parts[0], split="random"),)),
    ],
)
def test_every_row_and_its_role_count(change: object) -> None:
    assert callable(change)
    assert task_digest(change(small_task())) != task_digest(small_task())
