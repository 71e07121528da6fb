"""The metrics of each of several outputs, named after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from monitoring.records import MeasuredMetric
from monitoring.tasks.output_names import OF, named
from monitoring.tasks.several import OutputTask
from monitoring.tasks.task import NO_LABEL, Floats, Task, Whole
from monitoring.watches.measured.class_metrics import ClassMetrics
from monitoring.watches.measured.number_metrics import NumberMetrics


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputMetrics:
    """The metrics of a model of several outputs: those that a model of each output alone would have.

    Attributes:
        task: What the model answers.
        outputs: The metrics of each output, in order; None where the baseline has no label for it.
    """

    task: Task
    outputs: tuple[ClassMetrics | NumberMetrics | None, ...]

    @classmethod
    def fit(cls, task: Task, answers: Floats, labels: Whole, threshold: float | None = None) -> OutputMetrics:
        """From a baseline's finite answers, [n, width], and their labels' codes, [n, outputs]."""
        found: list[ClassMetrics | NumberMetrics | None] = []
        for one, own, codes in _labelled(task, answers, labels):
            known = ~one.task.unknown(codes)
            if not known.any():
                found.append(None)
            elif one.task.exclusive:
                found.append(ClassMetrics.fit(one.task, own[known], threshold))
            else:
                found.append(NumberMetrics.fit(one.task.numbers[0], codes[known]))
        return cls(task=task, outputs=tuple(found))

    def tally(self, answers: Floats, labels: Whole) -> dict[str, Whole]:
        """Whole numbers that can be added over batches of rows.

        Args:
            answers: Finite answers, [n, width].
            labels: Their labels' codes, [n, outputs].
        """
        return {
            f"{OF}{one.output}:{name}": count
            for shown, (one, own, codes) in zip(self.outputs, _labelled(self.task, answers, labels), strict=True)
            if shown is not None
            for name, count in shown.tally(own, codes).items()
        }

    def measured(self, counts: Mapping[str, Whole], rng: np.random.Generator | None = None) -> list[MeasuredMetric]:
        """The metrics of some rows.

        Args:
            counts: As of `tally`, or the sum of several.
            rng: As of `ClassMetrics.measured`.

        Returns:
            Those that are defined; none without rows.
        """
        found = []
        for output, shown in zip(self.task.outputs_judged, self.outputs, strict=True):
            before = f"{OF}{output.output}:"
            own = {name.removeprefix(before): count for name, count in counts.items() if name.startswith(before)}
            metrics = [] if shown is None else shown.measured(own, rng)
            found += [replace(one, metric=named(output.output, one.metric)) for one in metrics]
        return found


def _labelled(task: Task, answers: Floats, labels: Whole) -> Iterator[tuple[OutputTask, Floats, Whole]]:
    """Each output with its own answers and label codes, of the rows that have a label of it."""
    for place, (one, own) in enumerate(task.parts(answers)):
        known = labels[:, place] != NO_LABEL
        yield one, own[known], labels[known, place]
