"""Answers and labels of the baseline and of live windows: what confusion matrices and residuals are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.batch import joined
from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import Predictions, no_predictions
from monitoring.baseline.spec import BaselineSpec
from monitoring.config import MonitorConfig
from monitoring.deployment.baseline_in_use import baseline_in_use
from monitoring.deployment.configured_spec import configured
from monitoring.inspection.live_rows import in_slice
from monitoring.judging.window.traffic_source import TrafficSource
from monitoring.records import WindowRecord
from monitoring.sources.read_scope import ReadScope
from monitoring.sources.traffic import open_traffic, with_labels
from monitoring.tasks.label_codes import has_label
from monitoring.tasks.ranking import Ranking
from monitoring.tasks.task import Floats, Task, Whole
from monitoring.traffic.windows import Window

#: Live rows that are read, at most, unless one window has more.
MOST_ROWS = 40_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelledAnswers:
    """Usable answers [n, width] with the codes of their labels, [n] or [n, parts]; none is of an unknown class."""

    answers: Floats
    labels: Whole
    unknown: int = 0

    def __len__(self) -> int:
        return len(self.answers)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcomes:
    """What became of the answers of some rows, in the baseline and in live windows.

    Attributes:
        output: The output's name, where there are several; else empty.
    """

    task: Task
    part: str
    baseline: LabelledAnswers
    live: LabelledAnswers
    windows: tuple[Window, ...]
    left_out: int
    output: str = ""


def read_outcomes(
    config: MonitorConfig,
    version: int,
    windows: Sequence[WindowRecord],
    parts: Sequence[str],
    clock: Callable[[], datetime],
) -> tuple[Outcomes, ...]:
    """Read answers and labels.

    Args:
        windows: Windows in order of time; the last ones with at most `MOST_ROWS` rows are read, and at least one.
        parts: The slices, empty for all rows; those of classes are left out.

    Returns:
        One for each part, and each output where there are several. Cost: a pass over the answers of these windows and
        of the reference, and all labels.
    """
    baseline = baseline_in_use(config)
    spec = configured(config, baseline.spec)
    names = {feature.name for feature in spec.features}
    wanted = [part for part in dict.fromkeys(parts) if not part or part.partition("=")[0] in names]
    columns = {part.partition("=")[0] for part in wanted if part}
    narrow = _narrowed(spec, columns)
    read = last_windows(windows, MOST_ROWS)
    rows = no_predictions(narrow)
    if read:
        traffic = open_traffic(
            config,
            replace(baseline, spec=narrow),
            version,
            clock=clock,
            scope=ReadScope(since=read[0].start, lean=True),
        )
        rows = labelled_rows(traffic, read, narrow)
    answers = baseline.rows.answers
    return tuple(
        Outcomes(
            task=task,
            output=output,
            part=part,
            baseline=_usable(_of_output(answers, spec.task, output), _reference_slice(baseline, part), task),
            live=_usable(_of_output(rows, spec.task, output), in_slice(rows.features, part), task),
            windows=read,
            left_out=len(windows) - len(read),
        )
        for part in wanted
        for output, task in spec.task.judged
    )


def _of_output(rows: Predictions, task: Task, output: str) -> Predictions:
    """The rows with the answers and labels of one output alone."""
    if not task.labels_in_parts:
        return rows
    parts = enumerate(task.parts(rows.probabilities))
    place, answers = next((place, part_answers) for place, (part, part_answers) in parts if part.output == output)
    labels = rows.labels if rows.labels.ndim == 1 else rows.labels[:, place]
    return replace(rows, probabilities=answers, labels=labels)


def _narrowed(spec: BaselineSpec, columns: set[str]) -> BaselineSpec:
    """The specification with these inputs alone, so that no others are read."""
    return replace(
        spec,
        features=tuple(feature for feature in spec.features if feature.name in columns),
        described=tuple(descriptor for descriptor in spec.described if columns & set(descriptor.kinds)),
        embedding=None,
    )


def last_windows(windows: Sequence[WindowRecord], most: int) -> tuple[Window, ...]:
    """The last windows, of at most `most` rows together, and at least one; in order of time."""
    spans: list[Window] = []
    rows = 0
    for record in reversed(windows):
        rows += record.rows
        if spans and rows > most:
            break
        spans.append(Window(start=record.start, end=record.end))
    return tuple(reversed(spans))


def stretches(windows: Sequence[Window]) -> tuple[Window, ...]:
    """Windows in order of time, those that follow each other as one.

    >>> from datetime import UTC, timedelta
    >>> first, day = datetime(2026, 3, 1, tzinfo=UTC), timedelta(days=1)
    >>> [
    ...     (one.end - one.start).days
    ...     for one in stretches([Window(start=first + n * day, end=first + (n + 1) * day) for n in (0, 1, 4)])
    ... ]
    [2, 1]
    """
    merged: list[Window] = []
    for window in windows:
        if merged and merged[-1].end == window.start:
            merged[-1] = Window(start=merged[-1].start, end=window.end)
        else:
            merged.append(window)
    return tuple(merged)


def labelled_rows(traffic: TrafficSource, windows: Sequence[Window], spec: BaselineSpec) -> Predictions:
    """The rows of some windows with their labels. Windows that follow each other are read at once."""
    batches = [
        batch.take(np.arange(len(batch)))
        for stretch in stretches(windows)
        for batch in traffic.rows(stretch).batches()
        if len(batch)
    ]
    if not batches:
        return no_predictions(spec)
    rows = joined(batches)
    return with_labels(rows, traffic.latest_labels(rows.ids), spec.task)


def _reference_slice(baseline: Baseline, part: str) -> NDArray[np.bool_] | None:
    return in_slice(baseline.rows.inputs([part.partition("=")[0]]), part) if part else None


def _usable(rows: Predictions, inside: NDArray[np.bool_] | None, task: Task) -> LabelledAnswers:
    """The rows of a slice with a finite answer and a label."""
    chosen = has_label(rows.labels) & np.isfinite(rows.probabilities).all(axis=1)
    chosen = chosen if inside is None else chosen & inside
    answers, labels = rows.probabilities[chosen], rows.labels[chosen]
    odd = task.unknown(labels)
    return LabelledAnswers(answers=answers[~odd], labels=labels[~odd], unknown=int(odd.sum()))


def shares_of_rows(counts: NDArray[np.int64]) -> Floats:
    """Counts as shares of the sum of their row; NaN in a row without any."""
    totals = counts.sum(axis=1, keepdims=True)
    return np.where(totals > 0, counts / np.maximum(totals, 1), np.nan)


def decision_rates(task: Task, answers: Floats, labels: Whole) -> tuple[Floats, NDArray[np.int64]]:
    """How often each class was missed, and answered where it is not, where a row may have several.

    Args:
        answers: Probabilities, [n, classes].
        labels: Codes of sets of classes, [n].

    Returns:
        Shares of the rows with the class, and of those without it, [classes, 2], NaN where there are none; and how many
        rows have each class, int64 [classes].
    """
    has, answer_has = task.read_labels(labels), task.read_answers(answers)
    rows = np.stack([has.sum(axis=0), (~has).sum(axis=0)], axis=1)
    wrong = np.stack([(has & ~answer_has).sum(axis=0), (~has & answer_has).sum(axis=0)], axis=1)
    return np.where(rows > 0, wrong / np.maximum(rows, 1), np.nan), rows[:, 0].astype(np.int64)


def relevant_ranks(task: Ranking, answers: Floats, labels: Whole) -> NDArray[np.int64]:
    """Where the first relevant id of each row stood.

    Args:
        answers: [n, width].
        labels: Codes of the relevant ids, [n, relevant ids].

    Returns:
        Ranks from 1, int64 [n]; 0 where no relevant id was answered.

    >>> relevant_ranks(Ranking(places=2), np.array([[7.0, 8.0], [7.0, 8.0]]), np.array([[8, 7], [5, -1]])).tolist()
    [1, 0]
    """
    ids, relevant = task.read_answers(answers), task.read_labels(labels)
    ranks = np.zeros(len(ids), dtype=np.int64)
    for rank in range(task.places, 0, -1):
        code = ids[:, rank - 1]
        ranks[(code > 0) & (relevant == code[:, None]).any(axis=1)] = rank
    return ranks


def residuals(task: Task, answers: Floats, labels: Whole) -> Floats:
    """Label minus answer, where numbers are predicted. Returns [n, numbers].

    Args:
        answers: Numbers, [n, numbers].
        labels: Codes, [n] or [n, numbers].
    """
    width = answers.shape[1]
    difference: Floats = task.read_labels(labels).reshape(-1, width) - task.read_answers(answers).reshape(-1, width)
    return difference
