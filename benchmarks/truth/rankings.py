"""Rankings: false alarms on clean streams, also where the catalogue is large or renewed, and delays after a fault."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.results import Cell, Result, Settings, Table
from monitoring import Monitor

SEED = 20_130_822

#: Rows a day, and days: of the reference, of clean traffic, and of traffic after the fault.
ROWS = 300
REFERENCE, CLEAN, CHANGED = 60, 60, 20

STREAMS, STREAMS_QUICK = 5, 1

START = datetime(2024, 1, 1, tzinfo=UTC)

#: Ids in an answer.
PLACES = 10

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Rankings to draw: how many ids there are, how often the commonest, which share is of the day alone; the fault."""

    name: str
    catalogue: int = 2_000
    zipf: float = 1.0
    daily: float = 0.0
    scored: bool = True
    labelled: bool = True
    fault: Callable[[Ids], Ids]
    fault_text: str


def _reversed(ids: Ids) -> Ids:
    return ids[:, ::-1]


def _shifted(ids: Ids) -> Ids:
    return ids + 1


def _worse(ids: Ids) -> Ids:
    """The best id of every tenth row is the last one of another row."""
    worse_ids = ids.copy()
    worse_ids[::10, 0] = np.roll(ids[::10, -1], 1)
    return worse_ids


STREAMS_OF = (
    Stream(name="2,000 ids, scores", fault=_reversed, fault_text="the wrong way round"),
    Stream(name="2,000 ids, no scores", scored=False, fault=_reversed, fault_text="the wrong way round"),
    Stream(
        name="100,000 ids, Zipf .8",
        catalogue=100_000,
        zipf=0.8,
        fault=_shifted,
        fault_text="each id is its neighbour's",
    ),
    Stream(name="5 % of the ids are of the day", daily=0.05, fault=_shifted, fault_text="each id is its neighbour's"),
    Stream(name="2,000 ids, scores", fault=_worse, fault_text="first place lost in 10 % of the rows"),
    Stream(
        name="2,000 ids, scores, no labels", labelled=False, fault=lambda ids: ids + 10**6, fault_text="unknown ids"
    ),
)


def measure(settings: Settings) -> Result:
    """Measure every stream. Cost: some three minutes on a free core."""
    streams = STREAMS_QUICK if settings.quick else STREAMS
    rows: list[tuple[Cell, ...]] = []
    for number, stream in enumerate(STREAMS_OF):
        print(f"{stream.name} …", file=sys.stderr, flush=True)
        runs = [_judged(stream, np.random.default_rng([SEED, number, draw])) for draw in range(streams)]
        pages, notices = (sum(counts[level] for counts, _ in runs) for level in ("page", "notice"))
        delays = sorted(CHANGED + 1 if delay is None else delay for _, delay in runs)
        detected, middle = sum(delay <= CHANGED for delay in delays), delays[len(delays) // 2]
        rows.append(
            (stream.name, pages, notices, stream.fault_text, detected, f">{CHANGED}" if middle > CHANGED else middle)
        )
    windows = streams * CLEAN
    table = Table(
        title=f"Rankings of {PLACES} ids: clean streams of {windows} windows in all, and faults",
        columns=("stream", "pages", "notices", "fault", f"told, of {streams}", "windows, median"),
        rows=tuple(rows),
        note=(
            f"{streams} streams of {ROWS} rows a day: {REFERENCE} days of reference, {CLEAN} clean ones, then "
            f"{CHANGED} after the fault. The budget allows {windows / 365:.1f} pages and {windows / 30:.0f} notices in "
            "the clean windows. Without labels a fault is told by a notice."
        ),
    )
    return Result(tables=(table,))


def _judged(stream: Stream, rng: np.random.Generator) -> tuple[dict[str, int], int | None]:
    """Incidents by level that began in clean windows, and the windows from the fault to the first one after it."""
    last = REFERENCE + CLEAN + CHANGED
    now = START + timedelta(days=last, hours=7)
    arguments: dict[str, Any] = {"event_time": "at", "task": "ranking", "predicted": "shown", "label": "clicked"}
    arguments |= {"scores": "scores"} if stream.scored else {}
    monitor = Monitor.from_reference(_days(stream, rng, range(REFERENCE)), clock=lambda: now, **arguments)
    live = _days(stream, rng, range(REFERENCE, last))
    result = monitor.run(live if stream.labelled else live.drop_columns(["clicked"]))
    fault = START + timedelta(days=REFERENCE + CLEAN)
    wanted = "page" if stream.labelled else "notice"
    began = [(incident.opened_at, incident.level) for incident in result.incidents]
    counts = {level: sum(at <= fault for at, of in began if of == level) for level in ("page", "notice")}
    delays = [(at - fault).days for at, of in began if at > fault and of == wanted]
    return counts, min(delays, default=None)


def _days(stream: Stream, rng: np.random.Generator, days: range) -> pa.Table:
    shares = np.cumsum(1.0 / np.arange(1, stream.catalogue + 1) ** stream.zipf)
    parts = []
    for day in days:
        ids = np.searchsorted(shares, rng.random((ROWS, PLACES)) * shares[-1])
        new_ids = stream.catalogue + 1_000 * day + rng.integers(0, 50, ids.shape)
        ids = np.where(rng.random(ids.shape) < stream.daily, new_ids, ids)
        age = rng.normal(size=ROWS)
        scores = np.sort(rng.exponential(1.0, (ROWS, PLACES)), axis=1)[:, ::-1]
        hit = rng.random(ROWS) < 1.0 / (1.0 + np.exp(-1.0 - age))
        place = np.minimum(rng.geometric(0.35, ROWS) - 1, PLACES - 1)
        other = np.searchsorted(shares, rng.random(ROWS) * shares[-1])
        clicked = np.where(hit, ids[np.arange(ROWS), place], other)
        if day >= REFERENCE + CLEAN:
            ids = stream.fault(ids)
        seconds = (START + timedelta(days=day)).timestamp() + np.sort(rng.uniform(0, 86_400, ROWS))
        us = (1e6 * seconds).astype(np.int64)
        columns = {"at": pa.array(us, pa.timestamp("us", "UTC")), "age": age, "shown": list(ids), "clicked": clicked}
        parts.append(pa.table(columns | ({"scores": list(scores)} if stream.scored else {})))
    return pa.concat_tables(parts)
