"""What a person is told of how a label is written is a label when it is written so."""

from __future__ import annotations

import pyarrow as pa
import pytest

from monitoring.tasks.classification import Classification
from monitoring.tasks.label_codes import has_label
from monitoring.tasks.label_form import label_form
from monitoring.tasks.multilabel import Multilabel
from monitoring.tasks.ranking import Ranking
from monitoring.tasks.regression import Regression
from monitoring.tasks.several import SeveralTasks
from monitoring.tasks.task import OutputTask, Task
from monitoring.tasks.vector_regression import VectorRegression

CLASSES = Classification(classes=("a", "b"))
SEVERAL = SeveralTasks(
    outputs_judged=(
        OutputTask(output="kind", task=CLASSES, numbers=2),
        OutputTask(output="price", task=Regression(), numbers=1),
    )
)


@pytest.mark.parametrize(
    ("task", "form", "said", "written"),
    [
        (CLASSES, "class", "name of its class", ("a", "b")),
        (Multilabel(classes=("a", "b")), "set", "with | between", ("a|b", "b", "[]")),
        (Regression(), "number", "", ("12.5", "-3")),
        (SEVERAL, "text", '{"kind": …, "price": …}', ('{"kind": "a", "price": 2}', '{"price": 2}')),
        (VectorRegression(names=("x", "y")), "text", "a list, [1, 2]", ("[1, 2]",)),
        (Ranking(places=3), "text", "the relevant id", ("JFK",)),
    ],
)
def test_a_label_is_written_as_it_is_said(task: Task, form: str, said: str, written: tuple[str, ...]) -> None:
    assert label_form(task)[0] == form
    assert said in label_form(task)[1]
    assert has_label(task.label_codes(pa.chunked_array([list(written)], pa.string()))).all()
