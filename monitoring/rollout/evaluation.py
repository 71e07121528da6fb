"""The result of a rollout: windows of evidence in, a verdict with its guards, looks and what is still needed out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from monitoring.records import (
    IntervalWidths,
    RolloutGuard,
    RolloutInterval,
    RolloutLook,
    RolloutResult,
    RolloutWindow,
    StillNeeded,
)
from monitoring.rollout import decision_rules
from monitoring.rollout.comparing import PAIRED, Comparing, of_candidate
from monitoring.rollout.decision_rules import DecisionRules
from monitoring.rollout.evidence.confidence_sequence import DifferenceInterval
from monitoring.rollout.evidence.differences import loss_scale
from monitoring.rollout.evidence.paired_sums import PairedSums
from monitoring.rollout.evidence.terms import CANNOT_TELL, DEFAULT, Rules
from monitoring.rollout.evidence.verdict import Comparison, compare, decide, smaller_of, word_of
from monitoring.rollout.pairs import CALIBRATION, ERRORS, LATENCY, LOSS, Measures, WindowEvidence
from monitoring.tasks.metrics import find_metric

#: The evidence of harm that is shown at most; more is certain anyway.
_MOST = 1e12

_DAY = timedelta(days=1)

#: The share of rows that may be slower than the limit: the latency that is compared is the 99th percentile.
SLOW_SHARE = 0.01


def evaluate(
    windows: Sequence[WindowEvidence],
    measures: Measures,
    rules: DecisionRules,
    obstacles: Sequence[str] = (),
    *,
    expected: Sequence[str] = (),
    comparing: Comparing = PAIRED,
) -> RolloutResult:
    """What the windows so far say. Returns the result. Cost: about a millisecond for each window and each guard.

    Args:
        expected: Guards without which nothing is promoted, although they may have no rows yet.
    """
    scale = loss_scale(measures.task, measures.loss)
    deciding = Rules(
        margin=rules.margin(scale), alpha=rules.wrong, scale=measures.scale * scale, missing=rules.missing_labels
    )
    steps = list(comparing.looks(windows, deciding))
    primary = steps[-1] if steps else compare([], deciding)
    guards = {name: compare([], Rules(margin=SLOW_SHARE)) for name in expected}
    guards |= guard_comparisons(windows, measures, rules, comparing)
    blocked = [*obstacles, *_obstacles(windows, primary)]
    decision = decide(primary, guards, require=rules.require, alpha=rules.wrong, obstacles=blocked)
    metric = find_metric(measures.loss)
    shown, (champion, candidate) = bool(primary.sums.rows), comparing.means(windows)
    return RolloutResult(
        verdict=decision.verdict,
        loss=measures.loss,
        title="Mean of the first losses" if metric is None else metric.title,
        unit="score" if metric is None or measures.loss == DEFAULT else metric.unit,
        min_effect=deciding.margin,
        wrong=rules.wrong,
        require=rules.require,
        missing_labels=rules.missing_labels,
        interval=_interval(primary.interval, deciding.margin, has_rows=shown),
        at_random=_interval(primary.at_random, deciding.margin, has_rows=shown),
        champion=None if champion is None else champion * scale,
        candidate=None if candidate is None else candidate * scale,
        **_counts(primary.sums, windows),
        dispersion=primary.dispersion,
        **_first_verdict(steps, windows),
        promotable=decision.promotable,
        reasons=decision.reasons,
        obstacles=decision.obstacles,
        harm=_e_value(decision.log_harm),
        harmful=decision.harmful,
        needed=_needed(primary, windows),
        guards=tuple(_guard(name, comparison) for name, comparison in guards.items()),
        looks=_looks(steps, windows, deciding.margin),
        windows=tuple(_window(window, deciding.scale) for window in windows),
        widths=IntervalWidths(**dict(zip(("rows", "days", "missing_labels"), primary.widths, strict=True)))
        if shown
        else None,
    )


def _e_value(log: float) -> float:
    return min(math.exp(min(log, 30.0)), _MOST)


def _counts(sums: PairedSums, windows: Sequence[WindowEvidence]) -> dict[str, Any]:
    """How many rows of each kind there are, as a result has them."""
    counts = {name: getattr(sums, name) for name in ("rows", "disagreements", "missing")}
    return counts | {
        name: sum(getattr(window, name) for window in windows) for name in ("labelled", "unusable", "failed")
    }


def _first_verdict(steps: Sequence[Comparison], windows: Sequence[WindowEvidence]) -> dict[str, Any]:
    """The first verdict, and the end of the window after which it came; None before there is one."""
    decisions = (
        (step.word, window.end) for step, window in zip(steps, windows, strict=True) if step.word != CANNOT_TELL
    )
    decided, at = next(decisions, (None, None))
    return {"decided": decided, "decided_at": at}


def guard_comparisons(
    windows: Sequence[WindowEvidence], measures: Measures, rules: DecisionRules, comparing: Comparing
) -> dict[str, Comparison]:
    """The comparison of each guard that has been measured."""
    scale = loss_scale(measures.task, measures.loss)
    slices = Rules(
        margin=rules.limit(decision_rules.SLICES, scale),
        alpha=rules.wrong,
        scale=measures.scale * scale,
        missing=rules.missing_labels,
    )
    calibration = rules.calibration(scale)
    rules_by_guard: dict[str, Rules] = {
        **dict.fromkeys(measures.slice_names, slices),
        CALIBRATION: calibration,
        ERRORS: Rules(margin=rules.limit(decision_rules.ERRORS, scale, _rows_per_day(windows)), alpha=rules.wrong),
        LATENCY: Rules(margin=SLOW_SHARE, alpha=rules.wrong),
    }
    found = {
        name: comparing.compare(windows, name, rules)
        for name, rules in rules_by_guard.items()
        if comparing.has(windows, name)
    }
    own = of_candidate(windows, CALIBRATION, calibration) if CALIBRATION in found else None
    return found if own is None else {**found, CALIBRATION: smaller_of(found[CALIBRATION], own)}


def _rows_per_day(windows: Sequence[WindowEvidence]) -> float:
    """How many rows a day brings; windows that are shorter than a day count as one."""
    if not windows:
        return math.inf
    return sum(window.rows for window in windows) / max((windows[-1].end - windows[0].start) / _DAY, 1.0)


def _obstacles(windows: Sequence[WindowEvidence], primary: Comparison) -> list[str]:
    """What stands against any verdict in the rows themselves."""
    if not windows or not primary.sums.rows:
        return ["No rows have been compared: no window with rows of both versions is mature."]
    failed = sum(window.failed for window in windows)
    if failed == primary.sums.rows:
        return [f"The candidate has no usable answer on any of {failed:,} rows."]
    return []


def _interval(interval: DifferenceInterval, margin: float, *, has_rows: bool) -> RolloutInterval:
    word = word_of(interval, margin) if has_rows else CANNOT_TELL
    return RolloutInterval(mean=interval.mean, low=interval.low, high=interval.high, verdict=word)


def _guard(name: str, comparison: Comparison) -> RolloutGuard:
    interval = _interval(comparison.interval, comparison.margin, has_rows=bool(comparison.sums.rows))
    return RolloutGuard(
        name=name,
        interval=interval,
        limit=comparison.margin,
        rows=comparison.sums.rows,
        passes=comparison.not_worse,
        harm=_e_value(comparison.log_harm),
    )


def _looks(steps: Sequence[Comparison], windows: Sequence[WindowEvidence], margin: float) -> tuple[RolloutLook, ...]:
    looks, labelled = [], 0
    for step, window in zip(steps, windows, strict=True):
        labelled += window.labelled
        interval = _interval(step.interval, margin, has_rows=bool(step.sums.rows))
        looks.append(RolloutLook(at=window.end, rows=step.sums.rows, labelled=labelled, interval=interval))
    return tuple(looks)


def _window(window: WindowEvidence, scale: float) -> RolloutWindow:
    sums = window.measures[LOSS]
    return RolloutWindow(
        start=window.start,
        end=window.end,
        rows=sums.rows,
        labelled=window.labelled,
        disagreements=sums.disagreements,
        missing=sums.missing,
        difference=sums.mean * scale,
    )


def _needed(primary: Comparison, windows: Sequence[WindowEvidence]) -> StillNeeded | None:
    rows = primary.needed_rows
    if rows is None or not windows:
        return None
    sums: PairedSums = primary.sums
    share = rows / sums.rows
    span = (windows[-1].end - windows[0].start) / _DAY
    return StillNeeded(
        rows=rows,
        labels=math.ceil(share * sums.disagreements),
        windows=math.ceil(share * len(windows)),
        days=share * span,
    )
