"""Inputs that are described, such as texts and images: false alarms on clean streams, and delays after a change."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.results import Cell, Result, Settings, Table
from monitoring import Monitor
from monitoring.traffic.descriptors.image import ImageDescriptors

SEED = 20_130_811

#: Rows a day, and days: of the reference, of clean traffic, and of traffic after the change.
ROWS = 300
REFERENCE, CLEAN, CHANGED = 60, 60, 20

STREAMS, STREAMS_QUICK = 5, 1

START = datetime(2024, 1, 1, tzinfo=UTC)

#: Words of the language, and how often the commonest are.
WORDS = 30_000
ZIPF = 1.0

#: Of each day's words, this share is of a few that no other day has.
TOPIC = 0.05

SHAPE = (12, 12, 3)

Columns = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day to draw: its number, its generator, and whether it is after the change."""

    number: int
    rng: np.random.Generator
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of input: what a day of it is drawn by, and the change in words."""

    draw: Callable[[Day], Columns]
    change: str


@cache
def _language() -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    letters = np.random.default_rng(0).integers(97, 123, (WORDS, 7)).astype(np.uint8)
    shares = 1.0 / np.arange(1, WORDS + 1) ** ZIPF
    return np.array([bytes(word).decode() for word in letters]), np.cumsum(shares / shares.sum())


def _texts(day: Day, draw: Callable[[int], NDArray[np.str_]]) -> Columns:
    words, shares = _language()
    rng = day.rng
    lengths = rng.integers(3, 21, ROWS)
    count = int(lengths.sum())
    drawn = words[np.searchsorted(shares, rng.random(count))]
    drawn = np.where(rng.random(count) < TOPIC, draw(count), drawn)
    if day.changed:
        strange = np.char.add("x", drawn)
        drawn = np.where(rng.random(count) < 0.02, strange, drawn)
    parts = np.split(drawn, np.cumsum(lengths)[:-1])
    return {"text": [" ".join(part) for part in parts]}


def _text(day: Day) -> Columns:
    return _texts(day, lambda count: _language()[0][day.rng.integers(0, WORDS, count)])


def _topical(day: Day) -> Columns:
    return _texts(day, lambda count: np.array([f"topic{day.number}n{word}" for word in day.rng.integers(0, 20, count)]))


def _image(day: Day) -> Columns:
    light = day.rng.uniform(0.6, 1.0, (ROWS, 1, 1, 1)) * (0.95 if day.changed else 1.0)
    pixels = light * day.rng.uniform(0, 1, (ROWS, *SHAPE))
    descriptors = ImageDescriptors(source="image", shape=SHAPE)
    return descriptors.describe(pa.array(list(pixels.reshape(ROWS, -1))), np.zeros(ROWS, np.int64))


def _sequence(day: Day) -> Columns:
    lengths = 1 + day.rng.poisson(6.5 if day.changed else 6.0, ROWS)
    values = day.rng.exponential(1.0, int(lengths.sum()))
    values[day.rng.random(values.size) < 0.05] = np.nan
    return {"sequence": np.split(values, np.cumsum(lengths)[:-1])}


def _moment(day: Day) -> Columns:
    age = day.rng.exponential(115.0 if day.changed else 100.0, ROWS)
    us = (START + timedelta(days=day.number)).timestamp() * 1e6 - age * 86_400e6
    return {"moment": pa.array(us.astype(np.int64), pa.timestamp("us", "UTC"))}


def _vector(day: Day) -> Columns:
    directions = np.random.default_rng(1).normal(size=(4, 64))
    values = day.rng.normal(0.15 if day.changed else 0.0, 1.0, (ROWS, 4)) @ directions + 0.1 * day.rng.normal(
        size=(ROWS, 64)
    )
    return {"vector": list(values.astype(np.float32))}


KINDS = {
    "text": Kind(draw=_text, change="2 % of the words are new"),
    "text with new words each day": Kind(draw=_topical, change="2 % more of the words are new"),
    "image, 12 by 12 in colour": Kind(draw=_image, change="5 % darker"),
    "sequence of 7 on average": Kind(draw=_sequence, change="half a step longer"),
    "date, 100 days back on average": Kind(draw=_moment, change="15 days older"),
    "vector of 64": Kind(draw=_vector, change=".15 standard deviations in 4 directions"),
}


def measure(settings: Settings) -> Result:
    """Measure every kind. Cost: some four minutes on a free core."""
    streams = STREAMS_QUICK if settings.quick else STREAMS
    rows: list[tuple[Cell, ...]] = []
    for number, (name, kind) in enumerate(KINDS.items()):
        print(f"{name} …", file=sys.stderr, flush=True)
        runs = [_stream(kind, np.random.default_rng([SEED, number, stream])) for stream in range(streams)]
        pages, notices = (sum(counts[level] for counts, _ in runs) for level in ("page", "notice"))
        delays = sorted(CHANGED + 1 if delay is None else delay for _, delay in runs)
        middle = delays[len(delays) // 2]
        detected = sum(delay <= CHANGED for delay in delays)
        rows.append((name, pages, notices, kind.change, detected, f">{CHANGED}" if middle > CHANGED else middle))
    windows = streams * CLEAN
    table = Table(
        title=f"Described inputs: clean streams of {windows} windows in all, and changes",
        columns=("input", "pages", "notices", "change", f"told, of {streams}", "windows, median"),
        rows=tuple(rows),
        note=(
            f"{streams} streams of {ROWS} rows a day: {REFERENCE} days of reference, {CLEAN} clean ones, then "
            f"{CHANGED} after the change. The budget allows {windows / 365:.1f} pages and {windows / 30:.0f} notices "
            "in the clean windows. The model's one other input, its answers and labels stay as they were."
        ),
    )
    return Result(tables=(table,))


def _stream(kind: Kind, rng: np.random.Generator) -> tuple[dict[str, int], int | None]:
    """Incidents by level that began in clean windows, and the windows from the change to the first one after it."""
    arguments: dict[str, Any] = {"event_time": "at", "scores": "p", "label": "y"}
    last = REFERENCE + CLEAN + CHANGED
    now = START + timedelta(days=last, hours=7)
    monitor = Monitor.from_reference(_days(kind, rng, range(REFERENCE)), clock=lambda: now, **arguments)
    result = monitor.run(_days(kind, rng, range(REFERENCE, last)))
    change = START + timedelta(days=REFERENCE + CLEAN)
    began = [(incident.opened_at, incident.level) for incident in result.incidents]
    counts = {level: sum(at <= change for at, of in began if of == level) for level in ("page", "notice")}
    delays = [(at - change).days for at, _ in began if at > change]
    return counts, min(delays, default=None)


def _days(kind: Kind, rng: np.random.Generator, days: range) -> pa.Table:
    parts = []
    for day in days:
        score = rng.uniform(0.1, 0.9, ROWS)
        seconds = np.sort(rng.uniform(0, 86_400, ROWS))
        us = np.int64(1e6) * np.int64((START + timedelta(days=day)).timestamp()) + (1e6 * seconds).astype(np.int64)
        base = {
            "at": pa.array(us, pa.timestamp("us", "UTC")),
            "age": rng.normal(size=ROWS),
            "p": score,
            "y": (rng.random(ROWS) < score).astype(np.int64),
        }
        parts.append(pa.table({**base, **kind.draw(Day(number=day, rng=rng, changed=day >= REFERENCE + CLEAN))}))
    return pa.concat_tables(parts)
