"""The loss by which a deployment is shown: its mean over the last windows, beside its baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitoring.dashboard.view.history import HEADLINES
from monitoring.records import WHOLE, BaselineScore, ScoreRecord
from monitoring.reports.charts.drawing import Drawing
from monitoring.reports.charts.marks import interval_mark
from monitoring.reports.sections.benchmark import Interval
from monitoring.reports.sections.formatting import format_count
from monitoring.reports.sections.months import weighted_interval
from monitoring.tasks.output_names import first_of_each
from monitoring.watches.descriptions import NOTHING, format_change, format_value, watch_title


@dataclass(frozen=True, slots=True, kw_only=True)
class LossView:
    """A watch over the last windows.

    Attributes:
        baseline: The baseline's mean and deviation; None where it is not known.
        mark: The drawing of both; None without a baseline.
    """

    watch: str
    title: str
    windows: int
    value: Interval
    baseline: BaselineScore | None
    mark: Drawing | None
    text: str
    against: str


def headline_loss(
    scores: Sequence[Sequence[ScoreRecord]], baseline: Sequence[BaselineScore], part: str = WHOLE
) -> LossView | None:
    """The loss of a deployment over its last windows; of several outputs that which rose most.

    Returns:
        One of `headline_losses`; None where none was scored.
    """
    return max(headline_losses(scores, baseline, part), key=_rise, default=None)


def headline_losses(
    scores: Sequence[Sequence[ScoreRecord]], baseline: Sequence[BaselineScore], part: str = WHOLE
) -> tuple[LossView, ...]:
    """As `headline_loss`: the first loss of `HEADLINES` that was scored, of each output where there are several."""
    scored = (score for window in scores for score in window if score.value is not None and score.rows > 0)
    there = dict.fromkeys(score.watch for score in scored if score.slice == part)
    views = (watch_view(watch, scores, baseline, part) for watch in first_of_each(there, HEADLINES))
    return tuple(view for view in views if view is not None)


def _rise(view: LossView) -> float:
    """How far a loss is above its baseline, in tolerances."""
    baseline = view.baseline
    return 0.0 if baseline is None else (view.value.mean - baseline.mean) / (baseline.tolerance or 1.0)


def watch_view(
    watch: str, scores: Sequence[Sequence[ScoreRecord]], baseline: Sequence[BaselineScore], part: str = WHOLE
) -> LossView | None:
    """One watch over the last windows, on the whole traffic or on a slice; None where it has no score."""
    points = [
        (score.value, score.rows)
        for window in scores
        for score in window
        if score.watch == watch and score.slice == part and score.value is not None and score.rows > 0
    ]
    if not points:
        return None
    value = weighted_interval(points)
    baseline_score = next((score for score in baseline if score.watch == watch and score.slice == part), None)
    title = watch_title(watch)
    against = NOTHING if baseline_score is None else f"{format_value(watch, baseline_score.mean)} in the baseline"
    text = format_value(watch, value.mean)
    summary = f"{title} {text} over {format_count(len(points), 'window')}, {against}."
    mark = (
        None if baseline_score is None else interval_mark(value, baseline_score.mean, baseline_score.deviation, summary)
    )
    if baseline_score is not None:
        against = (
            f"{format_value(watch, baseline_score.mean)} ({format_change(watch, value.mean - baseline_score.mean)})"
        )
    return LossView(
        watch=watch,
        title=title,
        windows=len(points),
        value=value,
        baseline=baseline_score,
        mark=mark,
        text=text,
        against=against,
    )
