"""Every task's losses have words of their own."""

from __future__ import annotations

import pytest

from monitoring.tasks.classification import Classification
from monitoring.tasks.metrics import METRICS
from monitoring.tasks.task import Task


@pytest.mark.parametrize("task", [Classification(classes=("no", "yes"))], ids=lambda task: type(task).__name__)
def test_every_loss_of_a_task_has_a_title(task: Task) -> None:
    assert set(task.metrics) <= set(METRICS)
    assert all(METRICS[name].title[0].isupper() for name in task.metrics)
