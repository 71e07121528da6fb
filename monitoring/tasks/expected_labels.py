"""What answers expect of labels: probabilities of classes, or a number."""

from __future__ import annotations

import numpy as np

from monitoring.tasks.task import Floats, Task, Whole


def expected_labels(task: Task, answers: Floats, labels: Whole) -> dict[str, tuple[Floats, Floats]]:
    """What each answer expects of its label, and what that is, [n] each: by class, of two by the second.

    Args:
        answers: Usable answers, [n, width].
        labels: Codes of known labels, [n].

    Returns:
        Of an only number under an empty name; none where a row may have several classes or numbers, and of rankings.
    """
    if task.exclusive:
        truth, first = task.truth(labels), int(task.is_binary)
        return {name: (answers[:, at], truth[:, at]) for at, name in enumerate(task.classes) if at >= first}
    if task.metrics and task.number_names and task.width == 1:
        return {"": (answers[:, 0], np.asarray(task.read_labels(labels), dtype=np.float64).reshape(-1))}
    return {}
