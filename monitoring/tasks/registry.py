"""The tasks that a baseline can have, and what each is called in its description."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from monitoring.tasks.multilabel import Multilabel
from monitoring.tasks.outputs_only import OutputsOnly
from monitoring.tasks.ranking import Ranking
from monitoring.tasks.regression import Regression
from monitoring.tasks.several import SeveralTasks
from monitoring.tasks.task import Task
from monitoring.tasks.vector_regression import VectorRegression

#: Of each kind of task, its key in a baseline's description and what reads it from there: the inverse of
#: `Task.document`, which raises LookupError, TypeError or ValueError if something is missing. Classification has none,
#: as the description has its classes.
TASKS: dict[type[Task], tuple[str, Callable[[Any], Task]]] = {
    OutputsOnly: ("outputs", OutputsOnly.of),
    Multilabel: ("multilabel", Multilabel.of),
    VectorRegression: ("vector", VectorRegression.of),
    Ranking: ("ranking", Ranking.of),
    SeveralTasks: ("several", SeveralTasks.of),
    Regression: ("regression", Regression.of),
}


def task_document(task: Task | None) -> dict[str, Any]:
    """A task under its key; empty for None.

    >>> task_document(Multilabel(classes=("rain", "wind")))
    {'multilabel': {'classes': ['rain', 'wind']}}
    """
    return {} if task is None else {TASKS[type(task)][0]: task.document()}


def read_task(document: Mapping[str, Any]) -> Task | None:
    """The inverse of `task_document`, from a description with other keys; None without a task."""
    return next((read(document[key]) for key, read in TASKS.values() if key in document), None)


def ranking_of(task: Task) -> Ranking | None:
    """The task where answers are ids, best first; None where they are not."""
    return task if isinstance(task, Ranking) else None


def numbers_of(task: Task) -> tuple[Regression, ...]:
    """The task of each number of an answer that a part of the label is the truth of; none of other answers."""
    if isinstance(task, VectorRegression):
        return task.numbers
    return (task,) if isinstance(task, Regression) else ()
