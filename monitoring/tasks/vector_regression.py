"""Regression of several numbers at once: the losses of each number, and their means over the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from monitoring.errors import BadInput
from monitoring.records import Watch
from monitoring.tasks.regression import Regression
from monitoring.tasks.row_operations import row_sums
from monitoring.tasks.task import Floats, Metric, Task, Whole, watches_of_losses

if TYPE_CHECKING:
    import pyarrow as pa

#: A label has at most so many numbers: as text they fit into the label log.
MAX_NUMBERS = 48

#: Losses of one number; a colon and its name follow.
NUMBER_METRICS = (
    Metric(name="number_absolute_error", title="Absolute error of", unit="target"),
    Metric(name="number_pinball_loss", title="Pinball loss of", unit="target"),
    Metric(name="number_bias", title="Bias of", unit="target"),
    Metric(name="number_quantile_coverage", title="Coverage of the quantile of", unit="share"),
)

#: What precedes the name of a single number's loss in the name of a loss of one number of several.
OF_NUMBER = "number_"


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorRegression(Task):
    """A model that predicts several numbers, such as one for each step ahead.

    Answers are numbers, [n, numbers]; labels have as many, whose codes are their bits, [n, numbers]. A label with a
    missing number is none. Each number is a `Regression` of its own: its absolute error (or pinball loss) is watched,
    bounded by its own errors in the baseline, and its bias. The losses over all numbers are the means of theirs, in
    the unit of what is predicted: numbers in a larger unit weigh more, as in the mean that Keras trains on.

    >>> task = VectorRegression(names=("day_1", "day_2"), numbers=(Regression(bound=10.0), Regression(bound=30.0)))
    >>> answers, labels = np.array([[11.0, 20.0]]), np.array([[10.0, 25.0]]).view(np.int64)
    >>> losses = task.losses(answers, labels)
    >>> {name: float(losses[name][0] * task.scales[name]) for name in task.metrics}
    {'absolute_error': 3.0, 'squared_error': 13.0, 'number_absolute_error:day_1': 1.0, \
'number_absolute_error:day_2': 5.0}
    """

    names: tuple[str, ...]
    numbers: tuple[Regression, ...] = ()
    classes: tuple[str, ...] = ()

    @classmethod
    def named(cls, names: tuple[str, ...]) -> VectorRegression:
        """A task that is not fitted yet."""
        if len(set(names)) < len(names) or not 2 <= len(names) <= MAX_NUMBERS:
            raise BadInput(
                "These cannot be the numbers of one prediction.",
                got=f"{len(names)} numbers" + ("" if len(set(names)) == len(names) else ", two of one name"),
                expected=f"2 to {MAX_NUMBERS} numbers of different names",
                fix="Make a monitor for some of the numbers, or predict their mean.",
            )
        return cls(names=names, numbers=tuple(Regression() for _ in names))

    def fitted(self, answers: Floats, labels: Whole) -> VectorRegression:
        """The task with the bounds of each number; arguments as of `losses`, of a baseline, labels perhaps absent."""
        parts = (
            number.fitted(answers[:, [place]], labels if labels.ndim == 1 else labels[:, place])
            for place, number in enumerate(self.numbers)
        )
        return replace(self, numbers=tuple(parts))

    def with_quantile(self, quantile: float | None) -> VectorRegression:
        """The task of which every number is that quantile of its label."""
        return replace(self, numbers=tuple(replace(number, quantile=quantile) for number in self.numbers))

    def document(self) -> dict[str, Any]:
        """The task as JSON, which `of` reads."""
        return {"names": list(self.names), "numbers": [number.document() for number in self.numbers]}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> VectorRegression:
        """The inverse of `document`; LookupError or TypeError if something is missing."""
        numbers = tuple(Regression.of(fields) for fields in document["numbers"])
        return cls(names=tuple(document["names"]), numbers=numbers)

    @property
    @override
    def number_names(self) -> tuple[str, ...]:
        return self.names

    @property
    @override
    def width(self) -> int:
        return len(self.names)

    @property
    def means(self) -> tuple[str, ...]:
        """The losses over all numbers."""
        return tuple(name for name in self.numbers[0].metrics if all(name in number.metrics for number in self.numbers))

    @property
    def metrics(self) -> tuple[str, ...]:
        """See `Task`: the means, then the first loss of each number."""
        return (*self.means, *(self._of_number(self.means[0], name) for name in self.names))

    @property
    @override
    def scales(self) -> dict[str, float]:
        means = {name: float(np.mean([number.scales[name] for number in self.numbers])) for name in self.means}
        first = self.means[0]
        return means | {
            self._of_number(first, name): number.scales[first]
            for name, number in zip(self.names, self.numbers, strict=True)
        }

    @property
    def loss_watches(self) -> tuple[Watch, ...]:
        """See `Task`; and the bias of each number, or the coverage of its quantile, which may move either way."""
        places = (
            replace(number.loss_watches[-1], name=self._of_number(number.loss_watches[-1].name, name))
            for name, number in zip(self.names, self.numbers, strict=True)
        )
        return (*watches_of_losses(self.scales), *places)

    @property
    def output_watches(self) -> tuple[Watch, ...]:
        """See `Task`: where each number lies among the baseline's, and how far from their middle."""
        return tuple(
            replace(watch, name=self._of_output(watch.name, name))
            for name, number in zip(self.names, self.numbers, strict=True)
            for watch in number.output_watches
        )

    def label_codes(self, words: pa.ChunkedArray) -> Whole:
        """See `Task`: as many numbers as there are, in a list."""
        from monitoring.tasks.number_codes import number_list_codes  # noqa: PLC0415 - brings Arrow

        return number_list_codes(words, self.width)

    def read_labels(self, labels: Whole) -> NDArray[Any]:
        """See `Task`: the numbers, [n, numbers]."""
        return np.ascontiguousarray(labels).view(np.float64)

    def label_texts(self, labels: Whole) -> pa.Array:
        """See `Task`: the numbers, in a list."""
        import pyarrow as pa  # noqa: PLC0415 - not needed to report

        from monitoring.tasks.number_codes import number_list_texts  # noqa: PLC0415 - brings Arrow

        return pa.array(number_list_texts(self.read_labels(labels)), pa.string())

    def losses(self, answers: Floats, labels: Whole) -> dict[str, Floats]:
        """See `Task`; and the scores of the bias, or of the coverage of a quantile, of each number."""
        parts = [number.losses(answers[:, [place]], labels[:, place]) for place, number in enumerate(self.numbers)]
        losses = {}
        for metric in self.means:
            scales = np.array([number.scales[metric] for number in self.numbers])
            losses[metric] = row_sums(np.stack([part[metric] for part in parts], axis=1) * (scales / scales.sum()))
            np.minimum(losses[metric], 1.0, out=losses[metric])
        place = self.numbers[0].loss_watches[-1].name
        for metric in (self.means[0], place):
            for name, part in zip(self.names, parts, strict=True):
                losses[self._of_number(metric, name)] = part[metric]
        return losses

    def largest_differences(self, loss: str, a: Floats, b: Floats) -> Floats:
        """See `Task`: of one number, or the mean of all."""
        kind, _, name = loss.partition(":")
        if name:
            place = self.names.index(name)
            return self.numbers[place].largest_differences(kind.removeprefix(OF_NUMBER), a[:, [place]], b[:, [place]])
        scales = np.array([number.scales[loss] for number in self.numbers])
        parts = [
            number.largest_differences(loss, a[:, [place]], b[:, [place]]) * scale
            for place, (number, scale) in enumerate(zip(self.numbers, scales, strict=True))
        ]
        total: Floats = np.sum(parts, axis=0) / scales.sum()
        return total

    def outputs(self, answers: Floats) -> dict[str, Floats]:
        """See `Task`: of each number, ranks among the baseline's, and their distance from the middle."""
        return {
            self._of_output(key, name): scores
            for place, (name, number) in enumerate(zip(self.names, self.numbers, strict=True))
            for key, scores in number.outputs(answers[:, [place]]).items()
        }

    def score(self, answers: Floats, outputs: Mapping[str, Floats] | None = None) -> Floats:
        """See `Task`: the mean of the numbers' ranks among the baseline's, in [0, 1]."""
        scores = self.outputs(answers) if outputs is None else outputs
        ranks = [scores[self._of_output("prediction:location", name)] for name in self.names]
        return row_sums(np.stack(ranks, axis=1)) / self.width

    @staticmethod
    def _of_number(metric: str, name: str) -> str:
        """The name of a loss of one number."""
        return f"{OF_NUMBER}{metric}:{name}"

    @staticmethod
    def _of_output(watch: str, name: str) -> str:
        """The name of a watch on outputs of one number: `prediction:NAME:location`."""
        kind, _, place = watch.partition(":")
        return f"{kind}:{name}:{place}"
