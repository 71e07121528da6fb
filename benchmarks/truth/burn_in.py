"""References without dates: false pages where days differ, with a burn-in and without, and delays after a harm."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.results import Cell, Result, Settings, Table
from monitoring import Monitor

SEED = 20_130_401

#: Rows a day, and days: of the reference, of traffic in the burn-in or before what is counted, of clean traffic, and
#: of traffic in which labels are flipped.
ROWS = 300
REFERENCE, BURN_IN, CLEAN, HARMED = 30, 28, 60, 30

#: The share of flipped labels.
FLIPPED = 0.1

#: Day effects in standard deviations of the input; the truth has half as much.
EFFECTS = (0.0, 0.1, 0.3)

STREAMS, STREAMS_QUICK = 10, 1

START = datetime(2024, 1, 1, tzinfo=UTC)

#: How a reference is read, by what it is called.
REFERENCES: dict[str, dict[str, Any]] = {
    "with dates": {"event_time": "at"},
    "without dates": {},
    f"without, burn-in of {BURN_IN} days": {"settings": {"baseline": {"burn_in": f"{BURN_IN}d"}}},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one stream had: pages and notices of the clean windows, and windows to the first page after the harm."""

    pages: int
    notices: int
    delay: int


def measure(settings: Settings) -> Result:
    """Measure all. Cost: some five minutes on a free core."""
    streams = STREAMS_QUICK if settings.quick else STREAMS
    rows: list[tuple[Cell, ...]] = []
    for effect in EFFECTS:
        for name, arguments in REFERENCES.items():
            print(f"{effect}, {name} …", file=sys.stderr, flush=True)
            runs = [_judged(arguments, effect, np.random.default_rng([SEED, stream])) for stream in range(streams)]
            delays = sorted(run.delay for run in runs)
            detected = sum(delay <= HARMED for delay in delays)
            middle = delays[len(delays) // 2]
            pages, notices = (sum(getattr(run, level) for run in runs) for level in ("pages", "notices"))
            rows.append((effect, name, pages, notices, detected, f">{HARMED}" if middle > HARMED else middle))
    windows = streams * CLEAN
    table = Table(
        title=f"A reference of {REFERENCE * ROWS:,} rows: {windows} clean windows, then {FLIPPED:.0%} labels flipped",
        columns=("day effects, SD", "reference", "pages", "notices", f"told, of {streams}", "windows, median"),
        rows=tuple(rows),
        note=(
            f"{streams} streams of {ROWS} rows a day: {BURN_IN} days that do not count, {CLEAN} clean ones, {HARMED} "
            f"with flipped labels. The budget allows {windows / 365:.1f} pages and {windows / 30:.0f} notices."
        ),
    )
    return Result(tables=(table,))


def _judged(arguments: dict[str, Any], effect: float, rng: np.random.Generator) -> Found:
    reference = _days(rng, range(-REFERENCE, 0), effect)
    live = _days(rng, range(BURN_IN + CLEAN + HARMED), effect)
    if "event_time" not in arguments:
        reference = reference.drop_columns(["at"])
    now = START + timedelta(days=BURN_IN + CLEAN + HARMED, hours=7)
    fields = {"scores": "p", "label": "y", "event_time": "at", **arguments}
    monitor = Monitor.from_reference(reference, clock=lambda: now, **fields)
    counted, harm = START + timedelta(days=BURN_IN), START + timedelta(days=BURN_IN + CLEAN)
    pages, notices, delay = 0, 0, HARMED + 1
    for incident in monitor.run(live).incidents:
        if counted < incident.opened_at <= harm:
            pages, notices = pages + (incident.level == "page"), notices + (incident.level == "notice")
        elif incident.opened_at > harm and incident.level == "page":
            delay = min(delay, (incident.opened_at - harm).days)
    return Found(pages=pages, notices=notices, delay=delay)


def _days(rng: np.random.Generator, days: range, effect: float) -> pa.Table:
    """A logistic model of one number; each day moves it, and half as much the truth that the model does not know."""
    parts = []
    for day in days:
        moved, unknown = effect * rng.normal(), 0.5 * effect * rng.normal()
        x = rng.normal(size=ROWS) + moved
        score = 1.0 / (1.0 + np.exp(-1.5 * x))
        truth = rng.random(ROWS) < 1.0 / (1.0 + np.exp(-1.5 * x - unknown))
        if day >= BURN_IN + CLEAN:
            truth ^= rng.random(ROWS) < FLIPPED
        seconds = (START + timedelta(days=day)).timestamp() + np.sort(rng.uniform(0, 86_400, ROWS))
        us = pa.array((1e6 * seconds).astype(np.int64), pa.timestamp("us", "UTC"))
        parts.append(pa.table({"at": us, "x": x, "p": score, "y": truth.astype(np.int64)}))
    return pa.concat_tables(parts)
