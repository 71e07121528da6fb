"""References with an incident: what `init` says of it, and when harm is paged with it and without."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.truth.lender.rivals import Chart
from benchmarks.truth.worlds.charts import CHARTS, Series, alarms, own_thresholds
from benchmarks.truth.worlds.world import Floats
from monitoring import Monitor

SEED = 1_000

#: Rows a day, days of the reference, those of the incident, and days of live traffic.
ROWS, REFERENCE, LIVE = 400, 90, 60
INCIDENT = range(40, 50)

#: More errors in the incident, as a share of rows, and those of the harms that follow.
INCIDENT_RISE = 0.1
RISES = (0.0, 0.05, 0.08)

STREAMS, STREAMS_QUICK = 6, 1

#: Alarms that a chart may have in 365 days: the monitor's default promise.
YEARLY = 0.2

START = datetime(2026, 1, 1, tzinfo=UTC)


def measure(settings: Settings) -> Result:
    """Measure all. Cost: some two minutes on a free core."""
    streams = range(STREAMS_QUICK if settings.quick else STREAMS)
    references = {stream: _days(0, stream, _incident()) for stream in streams}
    told: list[tuple[Cell, ...]] = []
    pages: list[tuple[Cell, ...]] = []
    for stream, reference in references.items():
        print(f"stream {stream} …", file=sys.stderr, flush=True)
        row, span = _told(stream, reference)
        told.append(row)
        live = {rise: _days(REFERENCE, SEED + stream, np.full(LIVE, rise)) for rise in RISES}
        for name, left_out in (("with the incident", ""), ("without it", span)):
            pages.append(
                (stream + 1, f"page, {name}", *(_first_page(reference, live[rise], left_out) for rise in RISES))
            )
        for name, chart in CHARTS.items():
            pages.append((stream + 1, f"{name}, with the incident", *_chart_days(chart, reference, live)))
    harms = tuple("no harm" if not rise else f"+{100 * rise:.0f} points" for rise in RISES)
    return Result(
        tables=(
            Table(
                title=f"What `init` says of {REFERENCE} days, ten of which had 10 points more error",
                columns=("stream", "days named", "smallest rise with them", "without"),
                rows=tuple(told),
                note=(
                    f"{ROWS} rows a day; the incident was {_day(INCIDENT[0])} to {_day(INCIDENT[-1])}. The smallest "
                    "rise: noticed within 30 windows with a probability of .9."
                ),
            ),
            Table(
                title=f"Day of the first page in {LIVE} days of harm from the first day on",
                columns=("stream", "by", *harms),
                rows=tuple(pages),
                note=(
                    "A dash: none. Charts of the daily error rate, tuned on the same reference, incident included, to "
                    "one false alarm in five years. *Without it*: the days that `init` named are left out."
                ),
            ),
        )
    )


def _incident() -> Floats:
    return np.where(np.isin(np.arange(REFERENCE), INCIDENT), INCIDENT_RISE, 0.0)


def _day(day: int) -> str:
    return f"{(START + timedelta(days=day)).date()}"


def _days(first: int, seed: int, rise: Floats) -> pa.Table:
    """Days of a calibrated model whose days differ; `rise` adds errors at random, as a share of rows, [days]."""
    rng = np.random.default_rng(seed)
    shape = (rise.size, ROWS)
    logits = 1.6 * rng.normal(size=shape)
    truth = 1.0 / (1.0 + np.exp(-logits * np.exp(-0.15 * rng.normal(size=(rise.size, 1)))))
    labels = rng.random(shape) < truth
    labels ^= rng.random(shape) < 2.0 * rise[:, None]
    times = [START + timedelta(days=first + day, seconds=200 * row) for day in range(rise.size) for row in range(ROWS)]
    return pa.table(
        {
            "event_time": pa.array(times, pa.timestamp("us", tz="UTC")),
            "score": (1.0 / (1.0 + np.exp(-logits))).ravel(),
            "label": pa.array(np.where(labels.ravel(), "yes", "no")),
        }
    )


def _monitor(reference: pa.Table, left_out: str) -> Monitor:
    settings = {"baseline": {"leave_out": [left_out]}} if left_out else None
    now = START + timedelta(days=REFERENCE + LIVE + 1)
    return Monitor.from_reference(
        reference, scores="score", classes=("no", "yes"), settings=settings, clock=lambda: now
    )


def _told(stream: int, reference: pa.Table) -> tuple[tuple[Cell, ...], str]:
    """A row of the first table, and the days to leave out; none where no block was named."""
    note = next((each for each in _monitor(reference, "").notes if "stand out" in each), "")
    found = re.search(r"detected is (.+) with them, and (.+) without\..* --leave-out (\S+),", note)
    if found is None:
        return (stream + 1, "none", None, None), ""
    return (stream + 1, found[3].replace("/", " to "), found[1], found[2]), found[3]


def _first_page(reference: pa.Table, live: pa.Table, left_out: str) -> int | None:
    """The day of live traffic, from 1 on, whose window opened the first page."""
    opened = [each.opened_at for each in _monitor(reference, left_out).run(live).incidents if each.level == "page"]
    return min(((moment - START).days - REFERENCE for moment in opened), default=None)


def _errors(table: pa.Table, days: int) -> Floats:
    wrong = (table["score"].to_numpy() > 0.5) != (table["label"].to_numpy(zero_copy_only=False) == "yes")
    return np.asarray(wrong.reshape(1, days, ROWS).mean(axis=2)[:, :, None], dtype=np.float64)


def _chart_days(chart: Chart, reference: pa.Table, live: dict[float, pa.Table]) -> list[int | None]:
    """The first day on which a chart alarms, for each harm."""
    before = _errors(reference, REFERENCE)
    threshold = own_thresholds(chart, before, YEARLY, SEED)
    days: list[int | None] = []
    for table in live.values():
        flags = alarms(chart, Series(reference=before, live=_errors(table, LIVE)), threshold)[0]
        days.append(int(flags.argmax()) + 1 if flags.any() else None)
    return days
