"""A timeline: windows after the clean ones, each with the rows of a clean window that was drawn for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.predictions import microseconds
from monitoring.drills.clean_windows import CleanWindow
from monitoring.timestamps import as_microseconds
from monitoring.traffic.windows import Window, WindowPlan

#: What the name of a column ends in that has the text which a number became.
RETYPED = " as text"

_TIME = pa.timestamp("us", "UTC")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Timeline:
    """Windows that follow each other, with their rows."""

    windows: tuple[CleanWindow, ...]
    lead: int

    @property
    def planted_at(self) -> datetime:
        """When the first window with the fault begins."""
        return self.windows[self.lead].window.start

    @property
    def end(self) -> datetime:
        """When the last window ends."""
        return self.windows[-1].window.end

    @property
    def before(self) -> pa.Table:
        """The rows before the fault."""
        return pa.concat_tables([window.rows for window in self.windows[: self.lead]])

    def changed(self, change: Callable[[pa.Table, int], pa.Table]) -> pa.Table:
        """All rows, with those from the planting on changed, window by window; windows are numbered from 1.

        A number that became text is in a column of its own, whose name ends in `RETYPED`, and missing otherwise.
        """
        before = self.before
        after = [change(window.rows, place) for place, window in enumerate(self.windows[self.lead :], start=1)]
        aligned = (_with_texts_apart(rows, before.schema) for rows in after)
        return pa.concat_tables([before, *aligned], promote_options="permissive")


def _with_texts_apart(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """The rows with those columns renamed that are numbers by a schema, and text here."""
    names = [
        f"{name}{RETYPED}"
        if pa.types.is_string(rows.schema.field(name).type) and pa.types.is_primitive(schema.field(name).type)
        else name
        for name in rows.column_names
    ]
    return rows.rename_columns(names)


def draw_timeline(
    clean: Sequence[CleanWindow], plan: WindowPlan, *, start: datetime, sizes: tuple[int, int], rng: np.random.Generator
) -> Timeline:
    """Draw a clean window for each window of a timeline, with replacement: a bootstrap of whole windows.

    Windows are drawn from those at the same place in the week, or else in the day, or else from all; so what days of
    the week differ by stays, and what a day shares with the one before is lost.

    Returns:
        The timeline. Ids are new; the labels of a row come as late after it as they came.
    """
    count = sum(sizes)
    length = plan.length_at(start)
    if length is None:
        drawn = [clean[place] for place in rng.integers(0, len(clean), count).tolist()]
        slots = _one_after_the_other([window.window for window in drawn], start)
    else:
        slots = [slot for slot in plan.windows(start, start + (count + 2) * length) if slot.start >= start][:count]
        places = _Places(clean, plan.phases)
        drawn = [clean[places.draw(slot.start, rng)] for slot in slots]
    moved = tuple(
        CleanWindow(window=slot, rows=_moved(window, slot, f"{place}:"))
        for place, (slot, window) in enumerate(zip(slots, drawn, strict=True))
    )
    return Timeline(windows=moved, lead=sizes[0])


def lead_length(plan: WindowPlan, burn_in: timedelta | None, *, start: datetime, least: int) -> int:
    """How many windows come before a fault: some weeks, and a burn-in, in which nothing but facts is told.

    >>> from datetime import UTC
    >>> from monitoring.traffic.windows import CalendarPlan
    >>> lead_length(CalendarPlan(every="1d"), timedelta(days=35), start=datetime(2024, 1, 1, tzinfo=UTC), least=28)
    35

    Args:
        burn_in: The burn-in that is declared; None for none.

    Returns:
        The number; the fewest for windows of rows, whose length is not known.
    """
    length = plan.length_at(start)
    if burn_in is None or length is None:
        return least
    return max(least, -(-burn_in // length))


class _Places:
    """Clean windows by their places in the week and the day."""

    def __init__(self, clean: Sequence[CleanWindow], phases: Callable[[datetime], Mapping[str, int]]) -> None:
        self._phases = phases
        self._clean = [dict(phases(window.window.start)) for window in clean]

    def draw(self, start: datetime, rng: np.random.Generator) -> int:
        """The place of a clean window for a window that begins at a time."""
        wanted = dict(self._phases(start))
        every = range(len(self._clean))
        same = [place for place in every if self._clean[place] == wanted]
        same = same or [place for place in every if self._clean[place].get("day") == wanted.get("day")]
        return int(rng.choice(np.array(same or list(every))))


def _one_after_the_other(windows: Sequence[Window], start: datetime) -> list[Window]:
    slots = []
    for window in windows:
        slots.append(Window(start=start, end=start + (window.end - window.start)))
        start = slots[-1].end
    return slots


def _moved(clean: CleanWindow, slot: Window, prefix: str) -> pa.Table:
    """The rows of a window moved to another one, with ids of their own."""
    rows, length = clean.rows, as_microseconds(slot.end) - as_microseconds(slot.start)
    times = microseconds(rows["event_time"])
    offsets = np.clip(times - as_microseconds(clean.window.start), 0, length - 1)
    moved = offsets + as_microseconds(slot.start)
    delays = np.maximum(microseconds(rows["label_time"]) - times, 0)
    is_labelled = np.asarray(rows["label"].is_valid(), dtype=np.bool_)
    ids = pa.array([f"{prefix}{prediction_id}" for prediction_id in rows["prediction_id"].to_pylist()], pa.string())
    return _with(
        rows, prediction_id=ids, event_time=_times(moved), label_time=_times(moved + delays, unknown=~is_labelled)
    )


def _times(us: NDArray[np.int64], unknown: NDArray[np.bool_] | None = None) -> pa.Array:
    return pa.array(us, pa.int64(), mask=unknown).cast(_TIME)


def _with(rows: pa.Table, **columns: pa.Array) -> pa.Table:
    for name, values in columns.items():
        rows = rows.set_column(rows.column_names.index(name), name, values)
    return rows
