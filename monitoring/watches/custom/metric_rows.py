"""What the function of a custom metric is called with: labelled rows as read-only arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.batch import final
from monitoring.tasks.task import Floats, Task, Whole


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MetricRows:
    """n labelled rows. ``rows["distance"]`` is an input: numbers with NaN, or text with None, for missing values.

    >>> rows = MetricRows(
    ...     label=np.array(["late", "on_time"]),
    ...     prediction=np.array(["late", "late"]),
    ...     probabilities=np.array([[0.2, 0.8], [0.4, 0.6]]),
    ...     classes=("on_time", "late"),
    ...     inputs={"distance": np.array([301.0, 850.0])},
    ... )
    >>> ((rows.label != rows.prediction) * (rows["distance"] > 500)).tolist()
    [False, True]

    Attributes:
        label: The truth: names of classes, text [n]; of a predicted number, float64 [n]; where a row may have several
            classes, bool [n, classes].
        prediction: What the model answers, in the same form: the likeliest class, the number, or the classes whose
            probability is at least 1/2.
        probabilities: float64 [n, classes], in the order of `classes`; [n, 0] where a number is predicted.
        classes: The names of the classes; empty where a number is predicted.
        inputs: By name, [n] each: those that the metric names in its `inputs`.
    """

    label: NDArray[Any]
    prediction: NDArray[Any]
    probabilities: Floats
    classes: tuple[str, ...] = ()
    inputs: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, task: Task, answers: Floats, labels: Whole, features: pa.Table) -> MetricRows:
        """The rows of a model.

        Args:
            task: What the model answers.
            answers: Finite answers, [n, width].
            labels: Their labels' codes, none of them absent or unknown, [n].
        """
        words = final(features)
        return cls(
            label=_read_only(task.read_labels(labels)),
            prediction=_read_only(task.read_answers(answers)),
            probabilities=_read_only(answers if task.classes else np.zeros((len(answers), 0))),
            classes=task.classes,
            inputs={name: _read_only(words[name].to_numpy()) for name in words.column_names},
        )

    def __len__(self) -> int:
        return len(self.label)

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self.inputs:
            raise KeyError(f"{name!r} is not in the metric's `inputs` ({', '.join(self.inputs) or 'none'})")
        return self.inputs[name]

    def labelled(self, label: NDArray[Any]) -> MetricRows:
        """The same rows with other labels."""
        return replace(self, label=_read_only(label))

    def take(self, places: NDArray[np.int64]) -> MetricRows:
        """The rows at some indices."""
        return replace(
            self,
            label=_read_only(self.label[places]),
            prediction=_read_only(self.prediction[places]),
            probabilities=_read_only(self.probabilities[places]),
            inputs={name: _read_only(values[places]) for name, values in self.inputs.items()},
        )


def _read_only(values: NDArray[Any]) -> NDArray[Any]:
    """The same values as an array that cannot be written to."""
    view = values.view()
    view.flags.writeable = False
    return view
