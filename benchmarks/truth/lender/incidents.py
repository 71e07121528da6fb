"""The lender's incidents: harm that comes while a page is open, disasters of one day, faults of inputs, and causes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.truth.lender.changes import flipped, season
from benchmarks.truth.lender.deployment import LenderDeployment, Run, lender_spec
from benchmarks.truth.lender.harms import raises_page
from benchmarks.truth.lender.law import CATEGORIES, Day, Floats, predictions
from benchmarks.truth.lender.streams import REFERENCE, SEED, calm_days
from monitoring.baseline.predictions import Predictions
from monitoring.sentences.incident_text import incident_text

FULL, QUICK = 8, 1

#: Windows within which harm must be told while a page is open.
TOLD_WITHIN = 5

#: Inputs besides the lender's six, none of which ever moves.
INNOCENT = 34

#: What is done to the rows of a day after they were drawn.
Fault = Callable[[Predictions], Predictions]


def _with(rows: Predictions, name: str, values: pa.Array) -> Predictions:
    place = rows.features.column_names.index(name)
    return replace(rows, features=rows.features.set_column(place, name, values))


def scaled(factor: float) -> Fault:
    """Amounts in another unit."""

    def fault(rows: Predictions) -> Predictions:
        return _with(rows, "amount", pa.array(rows.features["amount"].to_numpy() * factor))

    return fault


def emptied(share: float) -> Fault:
    """Amounts missing in a share of the rows."""

    def fault(rows: Predictions) -> Predictions:
        values = rows.features["amount"].to_numpy().copy()
        gone = np.random.default_rng(len(values)).random(values.size) < share
        return _with(rows, "amount", pa.array(values, mask=gone))

    return fault


def stuck(rows: Predictions) -> Predictions:
    """Every amount the same."""
    return _with(rows, "amount", pa.array(np.full(len(rows), float(rows.features["amount"][0].as_py()))))


def renamed(names: Sequence[str]) -> Fault:
    """Some regions under another name."""

    def fault(rows: Predictions) -> Predictions:
        values = [f"{value}_2" if value in names else value for value in rows.features["region"].to_pylist()]
        return _with(rows, "region", pa.array(values, pa.string()))

    return fault


def hundredfold(rows: Predictions) -> Predictions:
    """Scores a hundred times as large: where they are no probability, the product's readers pass no answer on."""
    scores = 100.0 * rows.probabilities[:, 1]
    scores = np.where(scores > 1.0, np.nan, scores)
    return replace(rows, probabilities=np.stack([1.0 - scores, scores], axis=1))


def inverted(rows: Predictions) -> Predictions:
    """Every label inverted."""
    return replace(rows, labels=1 - rows.labels)


ONE_DAY: Mapping[str, Fault] = {
    "scores x 100": hundredfold,
    "99 % nulls": emptied(0.99),
    "all labels inverted": inverted,
    "every category renamed": renamed(CATEGORIES["region"][0]),
    "unit x 100": scaled(100.0),
}

LASTING: Mapping[str, Fault] = {
    "unit x 1000": scaled(1000.0),
    "a number stuck": stuck,
    "30 % nulls": emptied(0.3),
    "one category renamed": renamed(["south"]),
}


def measure(settings: Settings) -> Result:
    """The tables of incidents. Cost: five minutes of one core, one with small sizes."""
    streams = QUICK if settings.quick else FULL
    return Result(tables=(rearmed_table(streams), one_day_table(streams), cause_table(streams)))


def rearmed_table(streams: int) -> Table:
    """Harm that comes while a page is open: is it told, and when."""
    rows: list[tuple[Cell, ...]] = []
    for name, first, then, quiet in (
        ("season of ±.1 SD, then +10 points of error", None, 10.0, 110),
        ("+4 points, 45 days later +10 more", 4.0, 14.0, 45),
    ):
        delays, already = [], 0
        for stream in range(3000, 3000 + streams):
            run, deployment, delay = _second_harm(stream, first, then, quiet)
            already += any(incident.level == "page" for incident in run.state.incidents)
            delays.append(_first_page(deployment, run, stream, then, delay))
        within = float(np.mean([delay <= TOLD_WITHIN for delay in delays]))
        rows.append((name, streams, already / streams, within, float(np.median(delays))))
        print(f"{name}: {within:.2f} within {TOLD_WITHIN}", file=sys.stderr)
    return Table(
        title="Harm while a page is open",
        columns=("stream", "streams", "page open before", f"told within {TOLD_WITHIN}", "median window"),
        rows=tuple(rows),
        note="Told: a page opens, or an open one becomes worse.",
    )


def _second_harm(stream: int, first: float | None, _then: float, quiet: int) -> tuple[Run, LenderDeployment, int]:
    """A run up to the day of the second harm, its deployment, and that day."""
    shift = season(0.1, -91) if first is None else None
    days = calm_days(stream, 0, REFERENCE, shift=shift)
    deployment = LenderDeployment.of([predictions(day, number) for number, day in enumerate(days)])
    run = deployment.begin()
    for number, day in enumerate(calm_days(stream, REFERENCE, quiet, shift=shift), start=REFERENCE):
        changed = day if first is None else flipped(first)(day, 1.0, np.random.default_rng([SEED, stream, number, 2]))
        deployment.step(run, number, predictions(changed, number))
    return run, deployment, REFERENCE + quiet


def _first_page(deployment: LenderDeployment, run: Run, stream: int, points: float, first: int, days: int = 20) -> int:
    """The day after the second harm on which it is told, from 1; one past the last if it is not."""
    for at, day in enumerate(calm_days(stream, first, days)):
        harmed = flipped(points)(day, 1.0, np.random.default_rng([SEED, stream, first + at, 3]))
        if raises_page(deployment.step(run, first + at, predictions(harmed, first + at))):
            return at + 1
    return days + 1


def one_day_table(streams: int) -> Table:
    """Disasters of one day, at three sizes of a day, and faults that last: paged when, and is the input named."""
    rows: list[tuple[Cell, ...]] = []
    for rows_a_day in (100, 400, 1000):
        cells: list[Cell] = [f"one day, {rows_a_day:,} rows"]
        deployments = [_calm_run(stream, rows_a_day) for stream in range(4000, 4000 + max(streams // 2, 1))]
        for fault in ONE_DAY.values():
            paged = [_paged_at_once(deployment, run.copied(), day, fault) for deployment, run, day in deployments]
            cells.append(float(np.mean(paged)))
        rows.append(tuple(cells))
    return Table(
        title="Disasters of one day: share paged on that day",
        columns=("day", *ONE_DAY),
        rows=tuple(rows),
        note="100 rows a day are below `min_rows`.",
    )


def _calm_run(stream: int, rows: int) -> tuple[LenderDeployment, Run, Day]:
    days = calm_days(stream, 0, REFERENCE, rows=rows)
    deployment = LenderDeployment.of([predictions(day, number) for number, day in enumerate(days)])
    run = deployment.begin()
    *before, last = calm_days(stream, REFERENCE, 11, rows=rows)
    for number, day in enumerate(before, start=REFERENCE):
        deployment.step(run, number, predictions(day, number))
    return deployment, run, last


def _paged_at_once(deployment: LenderDeployment, run: Run, day: Day, fault: Fault) -> bool:
    number = REFERENCE + len(run.windows)
    return raises_page(deployment.step(run, number, fault(predictions(day, number))))


def cause_table(streams: int) -> Table:
    """Inputs named by pages and notices among forty: when one is guilty, and when none is."""
    rows: list[tuple[Cell, ...]] = []
    for name, fault in LASTING.items():
        delays, guilty, innocent = [], 0, 0
        for stream in range(5000, 5000 + streams):
            deployment, run = _many_inputs(stream)
            delay, named = _named(deployment, run, stream, fault)
            delays.append(delay)
            guilty += named in ("amount", "region")
            innocent += named not in ("amount", "region", "")
        rows.append((name, streams, float(np.median(delays)), guilty / streams, innocent / streams))
        print(f"{name}: {guilty} of {streams} named", file=sys.stderr)
    return Table(
        title="Faults of one input among forty",
        columns=("fault", "streams", "median window", "the guilty input named first", "an innocent named first"),
        rows=tuple(rows),
        note="The first incident after the fault: the input that its watch is about, or else the first that it names.",
    )


def _extra(stream: int, number: int, rows: int) -> Floats:
    return np.random.default_rng([SEED, stream, number, 4]).normal(size=(rows, INNOCENT))


def _many_inputs(stream: int) -> tuple[LenderDeployment, Run]:
    days = [
        predictions(day, number, _extra(stream, number, day.labels.size))
        for number, day in enumerate(calm_days(stream, 0, REFERENCE))
    ]
    deployment = LenderDeployment.of(days, spec=lender_spec(INNOCENT))
    run = deployment.begin()
    for number, day in enumerate(calm_days(stream, REFERENCE, 10), start=REFERENCE):
        deployment.step(run, number, predictions(day, number, _extra(stream, number, day.labels.size)))
    return deployment, run


def _named(deployment: LenderDeployment, run: Run, stream: int, fault: Fault) -> tuple[int, str]:
    """The window of the first new incident after the fault, and the input that it is about or names first."""
    first, earlier = REFERENCE + len(run.windows), set(run.incidents)
    for at, day in enumerate(calm_days(stream, first, 30)):
        rows = predictions(day, first + at, _extra(stream, first + at, day.labels.size))
        judgement = deployment.step(run, first + at, fault(rows))
        for incident in judgement.changed:
            if incident.number not in earlier:
                return at + 1, _input(deployment, incident.watch, incident_text(incident).message)
    return 31, ""


def _input(deployment: LenderDeployment, watch: str, message: str) -> str:
    """The input of a watch, or else the first that a message names; empty where there is none."""
    input_name = deployment.fit.watches[watch].feature if watch in deployment.fit.watches else None
    names = [feature.name for feature in deployment.spec.features]
    places = {name: message.find(name) for name in names if name in message}
    return input_name or min(places, key=lambda name: places[name], default="")
