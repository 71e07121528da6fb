"""Clean windows: recent ones of a deployment's own traffic in which nothing was wrong, or else its reference's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from monitoring.baseline.folder import REFERENCE
from monitoring.baseline.predictions import microseconds
from monitoring.config import MonitorConfig
from monitoring.deployment.deployment import Deployment
from monitoring.deployment.deployment_lookup import look_up_deployment
from monitoring.deployment.places import find_baseline
from monitoring.onboarding.rebaseline import live_reference
from monitoring.records import DrillSource, IncidentRecord, WindowRecord
from monitoring.records.drill import UNDATED
from monitoring.sources.read_scope import ReadScope
from monitoring.sources.traffic import open_traffic
from monitoring.store.store import Store
from monitoring.timestamps import as_datetime, as_microseconds
from monitoring.traffic.windows import Window
from monitoring.watches.embedding import Embed

#: Of fewer clean windows the days of a drill would be too much alike: the reference's are taken then.
FEWEST = 14

#: At most so many windows, the latest, and so many rows of each.
MOST = 400
MOST_ROWS = 10_000

#: Windows before a page that may have been part of what it tells.
BEFORE_PAGE = 10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CleanWindow:
    """A window in which nothing was wrong.

    Attributes:
        rows: Its rows, [n], at most `MOST_ROWS` of them: prediction_id, event_time, inputs, probabilities, label,
            label_time.
    """

    window: Window
    rows: pa.Table


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CleanWindows:
    """Windows in which nothing was wrong, in order of time, at least one."""

    source: DrillSource
    windows: tuple[CleanWindow, ...]

    def sample(self, most: int = MOST_ROWS) -> pa.Table:
        """Some rows of all windows, at most so many."""
        rows = pa.concat_tables([window.rows for window in self.windows])
        return _thinned(rows, most)


def clean_windows(
    config: MonitorConfig,
    deployment: Deployment,
    store: Store,
    *,
    clock: Callable[[], datetime],
    embed: Embed | None = None,
) -> CleanWindows:
    """The latest clean windows of a deployment's traffic with all their labels, or else those of its reference.

    A window is clean if no page was open in it or opened soon after it, and no event is expected in it. Nothing is
    changed: neither the store nor the label log.

    Args:
        embed: Embeds tensors; None where there are none, or no model to do it.
    """
    clean = _clean_records(config, deployment, store) if config.traffic.path is not None else ()
    if len(clean) >= FEWEST:
        spec = deployment.baseline.spec
        scope = ReadScope(since=clean[0].start)
        traffic = open_traffic(config, deployment.baseline, deployment.version, clock=clock, scope=scope)
        read = ((window, live_reference(traffic, window, spec, embed)) for window in clean)
        windows = tuple(CleanWindow(window=window, rows=_thinned(rows)) for window, rows in read if rows.num_rows)
        if len(windows) >= FEWEST:
            return CleanWindows(source="traffic", windows=windows)
    return CleanWindows(source="reference", windows=tuple(_of_reference(config, deployment)))


def _clean_records(config: MonitorConfig, deployment: Deployment, store: Store) -> tuple[Window, ...]:
    number = look_up_deployment(config, store).number
    if number is None:
        return ()
    records = store.windows.recent(number, latest=MOST)
    calendar = deployment.plan.events
    pages = [incident for incident in store.incidents.read(number) if incident.level == "page"]
    mature = records[-1].end - deployment.horizon if records else None
    return tuple(
        Window(start=record.start, end=record.end)
        for place, record in enumerate(records)
        if record.rows
        and (mature is None or record.end <= mature)
        and calendar.at(record.start, record.end) is None
        and not _paged(records[place : place + BEFORE_PAGE + 1], pages)
    )


def _paged(windows: Sequence[WindowRecord], pages: Sequence[IncidentRecord]) -> bool:
    """Whether a page is open in the first window, or opens in one of the others."""
    first = windows[0]
    return any(
        (page.window_start < first.end and (page.closed_at is None or page.closed_at > first.start))
        or any(window.start <= page.window_start < window.end for window in windows)
        for page in pages
    )


def _of_reference(config: MonitorConfig, deployment: Deployment) -> Iterator[CleanWindow]:
    """The reference's windows, the latest; without its first and last one, which may be cut off, if it has enough."""
    table = pq.read_table(find_baseline(config).baseline / REFERENCE)
    times, plan = microseconds(table["event_time"]), deployment.plan
    size = deployment.baseline.spec.rows_per_window
    if size is not None:
        starts = range(0, max(len(times) - size + 1, 1), size)
        spans = [Window(start=as_datetime(start), end=as_datetime(start + size)) for start in starts]
    else:
        spans = list(plan.cut(times))
        spans = spans[1:-1] if plan.rows is None and len(spans) >= FEWEST + 2 else spans
    for span in [span for span in spans if plan.events.at(span.start, span.end) is None][-MOST:]:
        first, last = np.searchsorted(times, [as_microseconds(span.start), as_microseconds(span.end)]).tolist()
        if last > first:
            yield CleanWindow(window=span, rows=_thinned(table.slice(first, last - first)))


def _thinned(rows: pa.Table, most: int = MOST_ROWS) -> pa.Table:
    """At most so many rows, drawn by chance, the same at each call; in order of their event times."""
    if rows.num_rows > most:
        places = np.sort(np.random.default_rng(0).permutation(rows.num_rows)[:most])
        rows = rows.take(pa.array(places))
    times = microseconds(rows["event_time"])
    if (np.diff(times) < 0).any():
        rows = rows.take(pa.array(np.argsort(times, kind="stable")))
    return rows


#: How long after a reference without dates a timeline begins.
_LATER = timedelta(days=365)


def next_start(clean: CleanWindows) -> datetime:
    """When a timeline after the clean windows begins: at the end of the last; after a year where they have no dates."""
    return clean.windows[-1].window.end + (_LATER if clean.windows[-1].window.end.year == UNDATED else timedelta())
