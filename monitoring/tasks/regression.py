"""Regression and forecasts: one number; absolute, squared, percentage error and bias, or pinball loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from monitoring.records import Direction, Level, Watch
from monitoring.tasks.row_operations import baseline_ranks, differ
from monitoring.tasks.task import NO_LABEL, Floats, Metric, Task, Whole, watches_of_losses

if TYPE_CHECKING:
    import pyarrow as pa

METRICS = (
    Metric(name="absolute_error", title="Absolute error", unit="target"),
    Metric(name="squared_error", title="Squared error", unit="target"),
    Metric(name="percentage_error", title="Percentage error", unit="share"),
    Metric(name="pinball_loss", title="Pinball loss", unit="target"),
    Metric(name="bias", title="Bias", unit="target"),
    Metric(name="quantile_coverage", title="Coverage of the quantile", unit="share"),
)

#: An error counts as at most so many times this quantile of the baseline's absolute errors.
BOUND_QUANTILE = 0.99
BOUND_FACTOR = 2.0

#: Percentage errors count as at most this, and are watched only if this share of the baseline's labels is above zero.
LARGEST_PERCENTAGE = 2.0
POSITIVE_SHARE = 0.99

#: Answers are a power of ten larger where the logarithms of their quartiles are, within this.
QUARTILES = (0.25, 0.5, 0.75)
POWER_ERROR = 0.1

#: Quantiles of the baseline's answers, on which ranks are measured.
KNOTS = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression(Task):
    """A model that predicts a number.

    Answers are numbers, [n, 1]; labels are numbers, whose codes are their bits. The answers promise no loss of their
    own: what to expect is learned from the baseline (`monitoring.watches.residuals`).

    >>> task = Regression(bound=10.0, percentage=True)
    >>> answers, labels = np.array([[11.0], [8.0]]), np.array([10.0, 40.0]).view(np.int64)
    >>> {name: losses.tolist() for name, losses in task.losses(answers, labels).items()}
    {'absolute_error': [0.1, 1.0], 'squared_error': [0.01, 1.0], 'percentage_error': [0.05, 0.4], 'bias': [0.55, 0.0]}

    A model whose output is a quantile has the pinball loss in place of the others: a quantile is not in the middle, so
    that its absolute error may rise while it becomes better. Its coverage, the share of labels up to the answer, takes
    the place of the bias. Source: Koenker & Bassett, *Regression quantiles* (1978).

    >>> task = Regression(bound=10.0, quantile=0.9)
    >>> [round(float(loss) * task.scales["pinball_loss"], 3) for loss in task.losses(answers, labels)["pinball_loss"]]
    [0.1, 9.0]

    Attributes:
        bound: The largest error that is told apart from larger ones, in the unit of what is predicted.
        knots: Quantiles of the baseline's answers, in order.
        quantile: Which quantile of the label is predicted; None for its mean or median.
    """

    bound: float = 1.0
    knots: tuple[float, ...] = ()
    percentage: bool = False
    classes: tuple[str, ...] = ()
    quantile: float | None = None

    def fitted(self, answers: Floats, labels: Whole) -> Regression:
        """The task with its bounds.

        Args:
            answers: The baseline's, [n, 1].
            labels: Their labels' codes, [n].

        Returns:
            The same task: errors bounded by the baseline's own, ranks on the baseline's own answers.
        """
        usable = np.isfinite(answers[:, 0])
        is_labelled = usable & (labels != NO_LABEL)
        errors, truth = (
            np.abs(answers[is_labelled, 0] - labels[is_labelled].view(np.float64)),
            labels[is_labelled].view(np.float64),
        )
        bound = BOUND_FACTOR * float(np.quantile(errors, BOUND_QUANTILE)) if errors.size else 0.0
        quantiles = np.linspace(0, 1, KNOTS + 2)[1:-1]
        return replace(
            self,
            bound=bound or float(np.ptp(answers[usable, 0])) or 1.0,
            knots=tuple(np.quantile(answers[usable, 0], quantiles).tolist()),
            percentage=bool(truth.size and np.mean(truth > 0.0) >= POSITIVE_SHARE),
        )

    @override
    def with_quantile(self, quantile: float | None) -> Regression:
        return replace(self, quantile=quantile)

    def document(self) -> dict[str, Any]:
        """The task as JSON, which `of` reads."""
        return {"bound": self.bound, "knots": list(self.knots), "percentage": self.percentage}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Regression:
        """The inverse of `document`; LookupError or TypeError if something is missing."""
        return cls(bound=document["bound"], knots=tuple(document["knots"]), percentage=document["percentage"])

    @property
    @override
    def number_names(self) -> tuple[str, ...]:
        return ("",)

    @property
    @override
    def width(self) -> int:
        return 1

    @property
    @override
    def metrics(self) -> tuple[str, ...]:
        if self.quantile is not None:
            return ("pinball_loss",)
        return ("absolute_error", "squared_error", *(("percentage_error",) if self.percentage else ()))

    @property
    @override
    def scales(self) -> dict[str, float]:
        scales = {"squared_error": self.bound**2, "percentage_error": LARGEST_PERCENTAGE}
        if self.quantile is not None:
            scales["pinball_loss"] = self.bound * max(self.quantile, 1.0 - self.quantile)
        return {metric: scales.get(metric, self.bound) for metric in self.metrics}

    @property
    def loss_watches(self) -> tuple[Watch, ...]:
        """See `Task`; and the bias, or the coverage of a quantile, which may move either way."""
        place = _watch("bias", needs_label=True, scale=2.0 * self.bound, offset=-self.bound)
        if self.quantile is not None:
            place = _watch("quantile_coverage", needs_label=True)
        return (*watches_of_losses(self.scales), place)

    @property
    def output_watches(self) -> tuple[Watch, ...]:
        """See `Task`: where the predicted numbers lie among the baseline's, and how far from their middle."""
        return (_watch("prediction:location"), _watch("prediction:spread"))

    def label_codes(self, words: pa.ChunkedArray) -> Whole:
        """See `Task`: numbers as text."""
        from monitoring.tasks.number_codes import number_codes  # noqa: PLC0415 - brings Arrow, not needed to report

        return number_codes(words)

    @override
    def read_answers(self, answers: Floats) -> NDArray[Any]:
        return answers[:, 0]

    @override
    def read_labels(self, labels: Whole) -> NDArray[Any]:
        return np.ascontiguousarray(labels).view(np.float64)

    def losses(self, answers: Floats, labels: Whole) -> dict[str, Floats]:
        """See `Task`; and the score of the bias, 1/2 where answer and label are equal, or of a quantile's coverage."""
        truth = np.ascontiguousarray(labels).view(np.float64)
        errors = (answers[:, 0] - truth) / self.bound
        if self.quantile is not None:
            loss = pinball_loss(np.clip(errors, -1.0, 1.0), self.quantile) / max(self.quantile, 1.0 - self.quantile)
            return {"pinball_loss": loss, "quantile_coverage": (errors >= 0.0).astype(np.float64)}
        size = np.minimum(np.abs(errors), 1.0)
        losses = {"absolute_error": size, "squared_error": size**2}
        if self.percentage:
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                shares = np.abs(answers[:, 0] - truth) / np.abs(truth)
            losses["percentage_error"] = (
                np.minimum(np.nan_to_num(shares, nan=0.0), LARGEST_PERCENTAGE) / LARGEST_PERCENTAGE
            )
        return losses | {"bias": (np.clip(errors, -1.0, 1.0) + 1.0) / 2.0}

    def power_of_ten(self, answers: Floats) -> int:
        """See `Task`: 0 unless all three quartiles are."""
        if not self.knots or not len(answers):
            return 0
        with np.errstate(divide="ignore", invalid="ignore"):
            powers = np.log10(np.quantile(answers[:, 0], QUARTILES) / np.quantile(self.knots, QUARTILES))
        power = round(float(powers[1])) if np.isfinite(powers).all() else 0
        return power if np.abs(powers - power).max() <= POWER_ERROR else 0

    def largest_differences(self, loss: str, a: Floats, b: Floats) -> Floats:
        """See `Task`: absolute and pinball loss move by no more than the answer, a squared one by twice that."""
        if loss == "percentage_error":
            return differ(a, b)
        distance = np.abs(a[:, 0] - b[:, 0]) / self.bound
        return np.asarray(np.minimum(distance * (2.0 if loss == "squared_error" else 1.0), 1.0), dtype=np.float64)

    def outputs(self, answers: Floats) -> dict[str, Floats]:
        """See `Task`: ranks among the baseline's answers, and their distance from the middle."""
        ranks = self.score(answers)
        return {"prediction:location": ranks, "prediction:spread": np.abs(2.0 * ranks - 1.0)}

    def score(self, answers: Floats, outputs: Mapping[str, Floats] | None = None) -> Floats:
        """See `Task`: the rank of the answer among the baseline's, in [0, 1]."""
        if outputs is not None:
            return outputs["prediction:location"]
        return baseline_ranks(answers[:, 0], self.knots)


def pinball_loss(errors: Floats, quantile: float) -> Floats:
    """The loss that a quantile minimises. Returns losses in the unit of the errors, [n].

    >>> pinball_loss(np.array([-1.0, 1.0]), 0.9).round(3).tolist()
    [0.9, 0.1]

    Args:
        errors: Answers less labels, [n].
        quantile: In (0, 1).
    """
    return np.maximum(-quantile * errors, (1.0 - quantile) * errors)


def _watch(
    name: str, *, level: Level = "notice", needs_label: bool = False, scale: float = 1.0, offset: float = 0.0
) -> Watch:
    """A watch on outputs, which may move either way."""
    direction: Direction = "both"
    return Watch(
        name=name,
        family="outputs",
        level=level,
        needs_label=needs_label,
        direction=direction,
        scale=scale,
        offset=offset,
    )
