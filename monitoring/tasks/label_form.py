"""How a person gives a label of a task."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal, TypeAlias

from monitoring.tasks.task import CLASS_SEPARATOR, Task

LabelForm: TypeAlias = Literal["class", "set", "number", "text"]


def label_form(task: Task) -> tuple[LabelForm, str]:
    """How a person gives a label: a class, a set of them, a number or text; and how it is written where it is written.

    >>> from monitoring.tasks.multilabel import Multilabel
    >>> label_form(Multilabel(classes=("rain", "wind")))
    ('set', 'Each class that it has, with | between them, or [].')
    """
    if task.exclusive:
        return "class", "The name of its class."
    if task.labels_in_parts:
        names = ", ".join(f'"{name}": …' for name in task.classes_of_outputs)
        return "text", f"An object with each output that is known: {{{names}}}"
    if task.classes:
        return "set", f"Each class that it has, with {CLASS_SEPARATOR} between them, or []."
    if task.number_names == ("",):
        return "number", ""
    return "text", "As in a file of labels: of several numbers a list, [1, 2]; of a ranking the relevant id."


def set_words(names: Sequence[str]) -> str:
    """A set of classes as the text of a label.

    >>> set_words(["rain", "wind"]), set_words([])
    ('rain|wind', '[]')
    """
    return json.dumps(names) if not names or names[0].startswith("[") else CLASS_SEPARATOR.join(names)
