"""Where a change of a loss comes from: other traffic (the mix), or other losses on the same traffic, slice by slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitoring.records import WHOLE, ScoreSum, SlicePart, WatchKey, WindowRecord

#: What is in none of a column's watched slices.
OTHERS = "other values"


def decomposed(
    before: Mapping[str, ScoreSum], after: Mapping[str, ScoreSum], *, metric: str = "", column: str = ""
) -> tuple[SlicePart, ...]:
    """Each slice's part in the change of a metric from one mean to the other; the parts add up to it, but for rounding.

    The slices divide all rows among them. A slice without rows before is held to the whole's mean there, and one
    without rows after to its own mean before. Largest parts first; empty where a side has no rows.

    >>> before = {"a": ScoreSum(50, 0), "b": ScoreSum(50, 50 << 32)}
    >>> after = {"a": ScoreSum(25, 0), "b": ScoreSum(75, 75 << 32)}
    >>> [(part.slice, part.mix, part.loss) for part in decomposed(before, after)]
    [('a', 0.125, 0.0), ('b', 0.125, 0.0)]
    """
    first, last = (sum(side.values(), ScoreSum()) for side in (before, after))
    if not first.rows or not last.rows:
        return ()
    parts = []
    for name in sorted({*before, *after}):
        was, now = before.get(name, ScoreSum()), after.get(name, ScoreSum())
        mean = was.mean if was.rows else first.mean
        share, change = now.rows / last.rows, now.rows / last.rows - was.rows / first.rows
        loss = share * (now.mean - mean) if now.rows else 0.0
        parts.append(SlicePart(metric=metric, column=column, slice=name, mix=change * (mean - first.mean), loss=loss))
    return tuple(sorted(parts, key=lambda part: (-abs(part.total), part.slice)))


def divided(sums: Mapping[WatchKey, ScoreSum], watch: str, column: str) -> dict[str, ScoreSum]:
    """One watch's sums by the watched slices of a column, with all other rows under `OTHERS`."""
    parts = {
        key.slice: total for key, total in sums.items() if key.watch == watch and key.slice.startswith(f"{column}=")
    }
    inside, whole = sum(parts.values(), ScoreSum()), sums.get(WatchKey(watch=watch), ScoreSum())
    rest = ScoreSum(whole.rows - inside.rows, whole.total - inside.total)
    return {**parts, OTHERS: rest} if rest.rows > 0 else parts


def added(windows: Sequence[WindowRecord], watch: str, unit: float) -> dict[WatchKey, ScoreSum]:
    """A watch's sums over windows, whole and by slice, from their recorded means; `unit` is what one score unit is.

    Only windows that were scored on the whole count, so that slices and whole are of the same rows.
    """
    found: dict[WatchKey, ScoreSum] = {}
    for window in windows:
        scored = [one for one in window.scores if one.watch == watch and one.value is not None]
        if not any(one.slice == WHOLE for one in scored):
            continue
        for one in scored:
            key = WatchKey(watch=watch, slice=one.slice)
            total = round((one.value or 0.0) * one.rows * unit)
            found[key] = found.get(key, ScoreSum()) + ScoreSum(one.rows, total)
    return found
