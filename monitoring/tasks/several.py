"""Several outputs, each judged by its own part of a label: a class, or a number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import compress
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from monitoring.records import Watch
from monitoring.tasks.classification import Classification
from monitoring.tasks.label_scores import MAX_PARTS, VarietyPart
from monitoring.tasks.output_names import named, split_output
from monitoring.tasks.regression import Regression
from monitoring.tasks.task import NO_LABEL, Floats, LabelPart, OutputTask, Task, Whole

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class SeveralTasks(Task):
    """A model of several outputs, of which a label has a part each.

    Answers are those of the outputs side by side, [n, width]. A label is the text of a JSON object with a value for
    each output, and its codes are theirs, [n, outputs]; a part may be missing. Losses, surprises and the watches on
    answers are those of each output's own task, named after it (`monitoring.tasks.output_names`). What to expect is
    learned from the baseline, for classes too.

    >>> import pyarrow as pa
    >>> kind = OutputTask(output="kind", task=Classification(classes=("no", "yes")), numbers=1)
    >>> task = SeveralTasks(outputs_judged=(kind, OutputTask(output="price", task=Regression(bound=10.0), numbers=1)))
    >>> labels = task.label_codes(pa.chunked_array([['{"kind": "yes", "price": 12}', '{"kind": "no"}']]))
    >>> found = task.losses(np.array([[0.25, 0.75, 11.0]]), labels[:1])
    >>> {name: losses.tolist() for name, losses in found.items() if name.endswith(("brier", "absolute_error"))}
    {'of:kind:brier': [0.0625], 'of:price:absolute_error': [0.1]}
    >>> labels[1].tolist()
    [0, -1]
    """

    outputs_judged: tuple[OutputTask, ...]
    classes: tuple[str, ...] = ()

    def fitted(self, answers: Floats, labels: Whole) -> SeveralTasks:
        """The task with its bounds and ranks, from a baseline's answers, [n, width], and labels, [n, outputs]."""
        outputs = []
        for place, (output, output_answers) in enumerate(self.parts(answers)):
            outputs.append(replace(output, task=output.task.fitted(output_answers, labels[:, place])))
        return replace(self, outputs_judged=tuple(outputs))

    def document(self) -> list[dict[str, Any]]:
        """The task as JSON, which `of` reads."""
        return [output.document() for output in self.outputs_judged]

    @classmethod
    def of(cls, document: list[Mapping[str, Any]]) -> SeveralTasks:
        """The inverse of `document`; LookupError or TypeError if something is missing."""
        return cls(outputs_judged=tuple(map(_output, document)))

    @property
    @override
    def is_made_of_outputs(self) -> bool:
        return True

    @property
    @override
    def width(self) -> int:
        return sum(output.task.width for output in self.outputs_judged)

    @property
    def metrics(self) -> tuple[str, ...]:
        """See `Task`: those of each output."""
        return tuple(named(output.output, metric) for output in self.outputs_judged for metric in output.task.metrics)

    @property
    @override
    def scales(self) -> dict[str, float]:
        return {
            named(output.output, metric): scale
            for output in self.outputs_judged
            for metric, scale in output.task.scales.items()
        }

    @property
    @override
    def deciding_loss(self) -> None:
        return None

    @property
    def loss_watches(self) -> tuple[Watch, ...]:
        """See `Task`: the losses of all outputs, then their surprises, then biases."""
        watches = [
            replace(watch, name=named(output.output, watch.name))
            for output in self.outputs_judged
            for watch in output.task.loss_watches
        ]
        order = {"performance": 0, "surprise": 1}
        return tuple(sorted(watches, key=lambda watch: order.get(watch.family, 2)))

    @property
    @override
    def output_watches(self) -> tuple[Watch, ...]:
        return tuple(
            replace(watch, name=named(output.output, watch.name))
            for output in self.outputs_judged
            for watch in output.task.output_watches
        )

    def label_codes(self, words: pa.ChunkedArray) -> Whole:
        """See `Task`: JSON objects with a value for each output; `NO_LABEL` for parts that are missing."""
        codes = np.full((len(words), len(self.outputs_judged)), NO_LABEL, dtype=np.int64)
        for place, (output, texts) in enumerate(self._texts(words)):
            codes[:, place] = output.task.label_codes(texts)
        return codes

    def respelled(self, words: pa.ChunkedArray) -> NDArray[np.bool_]:
        """See `Task`: where the class of an output is."""
        mask = np.zeros(len(words), dtype=np.bool_)
        for output, texts in self._texts(words):
            mask |= output.task.respelled(texts)
        return mask

    def unknown(self, labels: Whole) -> NDArray[np.bool_]:
        """See `Task`: of any output."""
        mask = np.zeros(len(labels), dtype=np.bool_)
        for place, output in enumerate(self.outputs_judged):
            mask |= output.task.unknown(labels[:, place])
        return mask

    def read_answers(self, answers: Floats) -> NDArray[Any]:
        """See `Task`: text with the name and the answer of each output."""
        return self._row_texts(
            [output.task.read_answers(output_answers) for output, output_answers in self.parts(answers)], len(answers)
        )

    def read_labels(self, labels: Whole) -> NDArray[Any]:
        """See `Task`: text with the name and the label of each output that has one."""
        there = labels != NO_LABEL
        words = [output.task.read_labels(np.where(part, codes, 0)) for output, part, codes in self._codes(labels)]
        return self._row_texts(words, len(labels), there)

    def losses(self, answers: Floats, labels: Whole) -> dict[str, Floats]:
        """See `Task`; NaN in rows whose label lacks the output's part."""
        all_losses = {}
        for (output, output_answers), (_, there, codes) in zip(self.parts(answers), self._codes(labels), strict=True):
            for name, losses in output.task.losses(output_answers, np.where(there, codes, 0)).items():
                all_losses[named(output.output, name)] = losses if there.all() else np.where(there, losses, np.nan)
        return all_losses

    def largest_differences(self, loss: str, a: Floats, b: Floats) -> Floats:
        """See `Task`: of the output that the loss is of."""
        name, metric = split_output(loss)
        sides = zip(self.parts(a), self.parts(b), strict=True)
        return next(
            output.task.largest_differences(metric, first, second)
            for (output, first), (_, second) in sides
            if output.output == name
        )

    @override
    def outputs(self, answers: Floats) -> dict[str, Floats]:
        return {
            named(output.output, name): scores
            for output, output_answers in self.parts(answers)
            for name, scores in output.task.outputs(output_answers).items()
        }

    def score(self, answers: Floats, outputs: Mapping[str, Floats] | None = None) -> Floats:
        """See `Task`: that of the first output."""
        return next(iter(self.scores(answers)))

    def scores(self, answers: Floats) -> tuple[Floats, ...]:
        """The score of each output's own task, [n] each."""
        return tuple(output.task.score(output_answers) for output, output_answers in self.parts(answers))

    def parts(self, answers: Floats) -> Iterator[tuple[OutputTask, Floats]]:
        """Each output with its own answers, [n, its width]."""
        first = 0
        for output in self.outputs_judged:
            yield output, answers[:, first : first + output.task.width]
            first += output.task.width

    @override
    def labelled_parts(
        self, answers: Floats, labels: Whole
    ) -> Iterator[tuple[str, Task, NDArray[np.bool_], Floats, Whole]]:
        for (output, output_answers), (_, there, codes) in zip(self.parts(answers), self._codes(labels), strict=True):
            yield output.output, output.task, there, output_answers[there], codes[there]

    def label_parts(self, labels: Whole) -> tuple[LabelPart, ...]:
        """See `Task`; `labels`: [n, outputs], none where the baseline has no label of an output."""
        parts, first = [], 0
        for (place, output), codes in zip(enumerate(self.outputs_judged), labels.T, strict=True):
            columns = (first, first + output.task.width)
            first, known = columns[1], codes[codes != NO_LABEL]
            scores = output.task.label_scores(known) if known.size else ()
            parts += [LabelPart(output=output.output, place=place, columns=columns, scores=each) for each in scores]
        return tuple(parts)

    def varied_parts(self, answers: Floats) -> tuple[VarietyPart, ...]:
        """See `Task`: those of each output."""
        parts, first = list[VarietyPart](), 0
        for output, output_answers in self.parts(answers):
            parts += [part.of_output(output.output, first) for part in output.task.varied_parts(output_answers)]
            first += output.task.width
        return tuple(parts[:MAX_PARTS])

    def _codes(self, labels: Whole) -> Iterator[tuple[OutputTask, NDArray[np.bool_], Whole]]:
        """Each output with which rows have its part of the label, [n], and the codes of these parts, [n]."""
        for place, output in enumerate(self.outputs_judged):
            codes = np.ascontiguousarray(labels[:, place])
            yield output, codes != NO_LABEL, codes

    def _texts(self, words: pa.ChunkedArray) -> Iterator[tuple[OutputTask, pa.ChunkedArray]]:
        """Each output with the texts of its own part of labels."""
        from monitoring.tasks.label_objects import texts_of_outputs  # noqa: PLC0415 - brings Arrow, not needed to report

        texts = texts_of_outputs(words, [output.output for output in self.outputs_judged])
        return zip(self.outputs_judged, texts, strict=True)

    def _row_texts(self, values: list[NDArray[Any]], rows: int, there: NDArray[np.bool_] | None = None) -> NDArray[Any]:
        """What each row has, in words; of the outputs that it has, [n, outputs], None for all."""
        words = [
            [
                f"{output.output} {f'{value:,.4g}' if isinstance(value, float) else value}"
                for value in output_values.tolist()
            ]
            for output, output_values in zip(self.outputs_judged, values, strict=True)
        ]
        if not rows:
            return np.array([], dtype=np.str_)
        every = zip(*words, strict=True)
        if there is None or there.all():
            return np.array([", ".join(row) for row in every], dtype=np.str_)
        return np.array([", ".join(compress(row, has)) for row, has in zip(every, there, strict=True)], dtype=np.str_)


def _output(document: Mapping[str, Any]) -> OutputTask:
    """The inverse of `OutputTask.document`; LookupError or TypeError if something is missing."""
    task: Task
    if "classes" in document:
        task = Classification(classes=tuple(document["classes"]), has_probabilities=document.get("scored", True))
    else:
        task = Regression.of(document["regression"])
    return OutputTask(output=document["output"], task=task, numbers=document["numbers"])
