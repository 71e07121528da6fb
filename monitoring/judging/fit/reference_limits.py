"""What a reference cannot carry: a trend of its own losses, no dates or few, few windows, slow labels, thin slices."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from monitoring.judging.fit.tolerances import SEASONAL_BRIER, SEASONAL_RANK, SEASONAL_SHARE, is_other_loss
from monitoring.records import Finding, WatchKey
from monitoring.watches.descriptions import is_rank, lower_first, metric_title, slice_title, watch_title

#: Labels are waited for until this share of the reference's had arrived, and this much longer.
DELAY_QUANTILE = 0.99
DELAY_MARGIN = 1.5

#: No label horizon is shorter.
SHORTEST_HORIZON = timedelta(days=7)

#: A trend over the reference is told if it is this many standard errors from none.
TREND_ERRORS = 3.0

YEAR = timedelta(days=365)

#: Slices that a sentence names.
NAMED = 5

#: Watches that are judged if their loss is, and so are not named beside it.
DERIVED = ("surprise_", "estimated_", "labelled:")

DAY_US = 86_400_000_000

#: The kind of the finding that a reference has no dates.
NO_DATES = "no dates"


def label_horizon(delays_us: NDArray[np.int64]) -> timedelta:
    """How long labels are to be waited for, by the delays of a reference's own.

    Args:
        delays_us: Label time minus event time of the reference's labelled rows, int64 [n], in microseconds.

    Returns:
        `DELAY_MARGIN` times the delay by which `DELAY_QUANTILE` of them had arrived, in whole days, and at least
        `SHORTEST_HORIZON`.

    >>> label_horizon(np.array([30 * 86_400_000_000] * 100)).days, label_horizon(np.zeros(0, dtype=np.int64)).days
    (45, 7)
    """
    if not delays_us.size:
        return SHORTEST_HORIZON
    days = math.ceil(float(np.quantile(delays_us, DELAY_QUANTILE)) * DELAY_MARGIN / DAY_US)
    return max(timedelta(days=days), SHORTEST_HORIZON)


def reference_limits(
    means: Mapping[WatchKey, NDArray[np.float64]],
    unfitted: Sequence[WatchKey],
    *,
    span: timedelta | None,
    pooled_rows: Mapping[WatchKey, int] | None = None,
) -> tuple[str, ...]:
    """What the fit to a reference should tell its owner.

    Args:
        means: Window scores of each watch over the baseline, [R], in order of time.

    Returns:
        Sentences: seasons not covered, a trend of a loss, thin slices, and watches that will never be judged.
    """
    sentences = []
    if span is not None and span < YEAR:
        sentences.append(
            f"The reference covers {span.days + 1} days, less than a year: it cannot tell a season from drift. A rise "
            "of a loss that the model expects, of harder traffic, is a notice, and a page once it is material "
            f"([tolerance] any_cause).{_seasonal(means)}"
        )
    for metric in ("error", "brier"):
        sentences += _trend(metric, means.get(WatchKey(watch=metric)))
    sentences += _joined(pooled_rows or {})
    sentences += [finding.message for finding in never_judged(unfitted)]
    return tuple(sentences)


def _seasonal(means: Mapping[WatchKey, NDArray[np.float64]]) -> str:
    """Below which rises of the losses that are watched are notices, until a reference covers a year; or nothing.

    >>> _seasonal({WatchKey(watch=name): np.zeros(2) for name in ("absolute_error", "bias")})
    ' Until a reference covers a year, rises of the absolute error by less than 15 % of the benchmark are notices.'
    """
    watched = [key.watch for key in means if not key.slice]
    shares = {
        "the Brier score": SEASONAL_BRIER if "brier" in watched else 0.0,
        "ranking loss": SEASONAL_RANK if any(is_rank(name) for name in watched) else 0.0,
    }
    others = [lower_first(metric_title(name)) for name in watched if is_other_loss(name)]
    shares |= {f"the {_first(others)}": SEASONAL_SHARE} if others else {}
    parts = [f"of {loss} by less than {100 * share:.0f} %" for loss, share in shares.items() if share]
    if not parts:
        return ""
    parts[0] += " of the benchmark"
    listed = f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
    return f" Until a reference covers a year, rises {listed} are notices."


def never_judged(unfitted: Sequence[WatchKey]) -> tuple[Finding, ...]:
    """The finding that some watches are never judged, since the baseline has too few rows of them.

    >>> never_judged([WatchKey(watch=name, slice="label=fraud") for name in ("error", "brier")])[0].message
    'Never judged, for too few rows in the baseline: losses at label = fraud.'
    """
    slices = dict.fromkeys(slice_title(key.slice) for key in unfitted if key.slice)
    whole = dict.fromkeys(
        lower_first(watch_title(key.watch)) for key in unfitted if not key.slice and not key.watch.startswith(DERIVED)
    )
    named = [*([f"losses at {_first(tuple(slices))}"] if slices else []), *([_first(tuple(whole))] if whole else [])]
    if not named:
        return ()
    message = f"Never judged, for too few rows in the baseline: {'; '.join(named)}."
    return (Finding(kind="never judged", feature="baseline", message=message),)


def undated(rows_per_window: int | None) -> tuple[Finding, ...]:
    """The finding that a reference has no dates, and what is assumed of it.

    Args:
        rows_per_window: How its rows were cut into windows; None for a reference with dates.
    """
    if rows_per_window is None:
        return ()
    message = (
        f"The reference has no dates: its rows were drawn into windows of {rows_per_window:,} rows, as if independent. "
        "How much good traffic differs from window to window, by itself or by the hour and weekday, is not known, and "
        "may page. Let the first weeks of traffic show it (--burn-in 28d, burn_in in the [baseline] section), or "
        "make a new baseline of some weeks of traffic once they are known to be good."
    )
    return (Finding(kind=NO_DATES, feature="baseline", message=message),)


def _joined(pooled_rows: Mapping[WatchKey, int]) -> list[str]:
    """That slices with few rows are judged over several windows."""
    parts = {key.slice: rows for key, rows in pooled_rows.items() if key.slice and key.watch == "error"}
    if not parts:
        return []
    named = _first([f"{slice_title(part)} ({rows} rows)" for part, rows in parts.items()])
    return [f"Few rows: losses at {named} are judged over windows that are joined until they have as many."]


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")


def _trend(metric: str, scores: NDArray[np.float64] | None) -> list[str]:
    if scores is None or scores.size < 10 or float(np.ptp(scores)) == 0.0:
        return []
    windows = np.arange(scores.size) - (scores.size - 1) / 2
    squares = float(windows @ windows)
    slope = float(windows @ scores) / squares
    rest = scores - scores.mean() - slope * windows
    if slope**2 <= TREND_ERRORS**2 * float(rest @ rest) / (scores.size - 2) / squares:
        return []
    third = scores.size // 3
    first, last = float(np.mean(scores[:third])), float(np.mean(scores[-third:]))
    name = "error rate" if metric == "error" else "Brier score"
    trend = (
        f"The {name} of the reference itself moves from {first:.3f} in its first third to {last:.3f} in its last: its "
        "mean is not what the model does"
    )
    return [f"{trend} now. Use a later reference, or expect an early alarm."]
