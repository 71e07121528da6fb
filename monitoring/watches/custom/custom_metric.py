"""The user's own metrics as watches: a function of labelled rows, called on each batch of them."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.errors import BadInput
from monitoring.records import Watch
from monitoring.tasks.row_operations import row_sums
from monitoring.tasks.task import Floats, Task, Whole, surprise_watch, surprises
from monitoring.watches.custom.metric_rows import MetricRows

#: A value may lie outside [0, 1] by this much, as rounding has it.
ROUNDING = 1e-9

#: The loss that a model's probabilities promise is computed for models of at most so many classes: a call for each.
MAX_EXPECTED_CLASSES = 10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CustomMetric:
    """One metric of the user's own.

    Attributes:
        function: Called with labelled rows, n > 0; returns a number in [0, 1] for each, [n].
        place: The function as the config has it, ``module:function``.
        higher_is_better: Whether 1 is best; the loss is one minus the metric then.
    """

    name: str
    function: Callable[[MetricRows], Any]
    place: str
    file: str
    inputs: tuple[str, ...] = ()
    higher_is_better: bool = False

    @property
    def watch(self) -> Watch:
        """The watch on its loss.

        >>> metric = CustomMetric(
        ...     name="hit_rate", function=len, place="own:hit_rate", file="own.py", higher_is_better=True
        ... )
        >>> metric.watch.name
        'complement:hit_rate'
        """
        kind = "complement" if self.higher_is_better else "metric"
        return Watch(name=f"{kind}:{self.name}", family="performance", level="page", needs_label=True)

    def values(self, rows: MetricRows) -> Floats:
        """Call the function."""
        try:
            returned = self.function(rows)
        except Exception as error:
            reason = error.args[0] if isinstance(error, KeyError) and error.args else error
            raise self.violated(
                f"{type(error).__name__}: {reason}{self._line(error)}", f"no error for {len(rows):,} rows"
            ) from error
        return self._checked(returned, len(rows))

    def losses(self, rows: MetricRows) -> Floats:
        """Its losses, [n] in [0, 1]; arguments and errors as of `values`."""
        values = self.values(rows)
        return 1.0 - values if self.higher_is_better else values

    def violated(self, got: str, expected: str) -> BadInput:
        """The error of a function that does not do what a metric has to do."""
        return BadInput(
            f"The metric {self.name} cannot be used.",
            got=f"{got} from {self.place}",
            expected=expected,
            fix=f"Correct {self.file}, or remove the metric from the config.",
        )

    def _checked(self, returned: Any, rows: int) -> Floats:
        expected = f"{rows:,} numbers in [0, 1], one for each row"
        try:
            values: NDArray[np.float64] = np.asarray(returned).astype(np.float64)
        except (TypeError, ValueError) as error:
            raise self.violated(f"{type(returned).__name__} ({error})", expected) from None
        if values.shape != (rows,):
            shape = " x ".join(map(str, values.shape))
            single = f"a single {type(returned).__name__}"
            raise self.violated(f"an array of shape {shape}" if values.shape else single, expected)
        broken = int(np.count_nonzero(~np.isfinite(values)))
        if broken:
            raise self.violated(f"{broken:,} values that are NaN or infinite", expected)
        low, high = float(values.min()), float(values.max())
        if low < -ROUNDING or high > 1.0 + ROUNDING:
            raise self.violated(f"values from {low:.6g} to {high:.6g}", expected)
        return np.clip(values, 0.0, 1.0)

    def _line(self, error: Exception) -> str:
        """The line of the metric's file at which an error was raised, for a message."""
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == self._code]
        return f" ({self.file}, line {lines[-1]})" if lines else ""

    @property
    def _code(self) -> str:
        code = getattr(self.function, "__code__", None)
        return "" if code is None else str(code.co_filename)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CustomMetrics:
    """The metrics of a deployment, in the order of its config."""

    metrics: tuple[CustomMetric, ...] = ()

    @property
    def inputs(self) -> tuple[str, ...]:
        """The inputs that any of them reads."""
        return tuple(dict.fromkeys(name for metric in self.metrics for name in metric.inputs))

    def watches(self, task: Task) -> tuple[Watch, ...]:
        """The watches on their losses, then those on surprise where the model's probabilities promise a loss."""
        losses = tuple(metric.watch for metric in self.metrics)
        return (*losses, *map(surprise_watch, losses)) if _promises(task) else losses

    def scores(
        self, task: Task, answers: Floats, labels: Whole, features: pa.Table, calibrated: Floats | None = None
    ) -> dict[str, Floats]:
        """The scores of all of `watches`. Returns scores in [0, 1], [n], by the name of their watch.

        A row with a label of an unknown class has the largest loss, whatever the function: it is not called with it.

        Args:
            answers: Of labelled rows, finite, [n, width].
            labels: Their labels' codes, [n].
            features: At least the inputs that the metrics read, [n].
            calibrated: The probabilities that labels are expected to be drawn by, [n, width]; None for the answers.
        """
        if not self.metrics:
            return {}
        places = np.flatnonzero(~task.unknown(labels))
        inputs = features.select(list(self.inputs))
        if places.size < len(labels):
            inputs = inputs.take(pa.array(places))
        rows = MetricRows.of(task, answers[places], labels[places], inputs)
        losses, expected = {}, {}
        for metric in self.metrics:
            name, metric_rows = metric.watch.name, _with_inputs(rows, metric.inputs)
            losses[name] = np.ones(len(labels))
            if places.size:
                losses[name][places] = metric.losses(metric_rows)
            if _promises(task):
                expected[name] = np.ones(len(labels))
                drawn_by = answers if calibrated is None else calibrated
                expected[name][places] = _expected_losses(metric, metric_rows, drawn_by[places])
        return losses | surprises(losses, expected)


NO_METRICS = CustomMetrics()


def _with_inputs(rows: MetricRows, names: tuple[str, ...]) -> MetricRows:
    return MetricRows(
        label=rows.label,
        prediction=rows.prediction,
        probabilities=rows.probabilities,
        classes=rows.classes,
        inputs={name: rows.inputs[name] for name in names},
    )


def _promises(task: Task) -> bool:
    """Whether a model's own probabilities say what loss to expect: of a class a row, and few classes."""
    return task.exclusive and task.has_probabilities and len(task.classes) <= MAX_EXPECTED_CLASSES


def _expected_losses(metric: CustomMetric, rows: MetricRows, calibrated: Floats) -> Floats:
    """The loss of each row if its label were drawn by the calibrated probabilities, [n]: one call for each class."""
    if not len(rows):
        return np.zeros(0)
    by_class = [metric.losses(rows.labelled(np.full(len(rows), name, rows.label.dtype))) for name in rows.classes]
    return np.clip(row_sums(calibrated * np.stack(by_class, axis=1)), 0.0, 1.0)
