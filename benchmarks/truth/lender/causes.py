"""The lender's pages of a loss that one input causes while others move harmlessly: which is named first."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.truth.lender.changes import flipped
from benchmarks.truth.lender.deployment import LenderDeployment, Run, lender_spec
from benchmarks.truth.lender.law import CENTRES, SPREADS, Day, Floats, linear, predictions
from benchmarks.truth.lender.streams import REFERENCE, SEED, calm_days
from monitoring.incidents.input_drift import LEAST_EXPLAINED
from monitoring.judging.facts.loss_outliers import SUBJECT
from monitoring.records import FACT_WATCH, IncidentRecord

FULL, QUICK = 10, 1

#: Inputs besides the lender's six, which the model does not use, and how many of them move, by how much.
UNUSED = 34
MOVED = 3
MOVED_BY = 1.0

#: Quiet days before the fault, and the days within which a page must come.
QUIET, DAYS = 10, 15

#: The input at fault: the amount.
CHANGED = 1

Fault = Callable[[Floats, np.random.Generator], Floats]


def defaulted(values: Floats, rng: np.random.Generator) -> Floats:
    """Three of ten amounts are 0, which somebody took for a missing value."""
    return np.where(rng.random(values.size) < 0.3, -CENTRES[CHANGED] / SPREADS[CHANGED], values)


def scaled(values: Floats, _rng: np.random.Generator) -> Floats:
    """All amounts in another currency, 1.5 times as large."""
    return np.asarray(1.5 * values + 0.5 * CENTRES[CHANGED] / SPREADS[CHANGED], dtype=np.float64)


def stuck(values: Floats, _rng: np.random.Generator) -> Floats:
    """Every amount the first of the day."""
    return np.full(values.size, values[0])


def shuffled(values: Floats, rng: np.random.Generator) -> Floats:
    """Six of ten amounts are those of other rows: no input moves, and so no distribution shows it."""
    other = rng.random(values.size) < 0.6
    return np.where(other, rng.permutation(values), values)


FAULTS: Mapping[str, Fault] = {"30 % of the amounts 0": defaulted, "amounts x 1.5": scaled, "amount stuck": stuck}

#: No distribution shows these: amounts of other rows, and labels flipped for ten points of error.
NOBODY = "amounts of other rows"
LABELS = "labels flipped (+10)"


def measure(settings: Settings) -> Result:
    """The inputs that pages of a loss name first. Cost: three minutes of one core, one with small sizes."""
    streams = QUICK if settings.quick else FULL
    tallies: dict[str, list[tuple[int, str]]] = {name: [] for name in (*FAULTS, NOBODY, LABELS)}
    for stream in range(6000, 6000 + streams):
        deployment, run = _quiet(stream)
        for name, tally in tallies.items():
            tally.append(_first_named(deployment, run.copied(), stream, name))
        print(f"stream {stream}: {[tally[-1] for tally in tallies.values()]}", file=sys.stderr)
    rows: list[tuple[Cell, ...]] = []
    for name, tally in tallies.items():
        paged = [input_ for _, input_ in tally if input_ != "none"]
        right = sum(input_ == "amount" for input_ in paged)
        wrong = sum(input_ not in ("amount", "") for input_ in paged)
        median = float(np.median([day for day, _ in tally]))
        rows.append((name, streams, len(paged), median, right / max(len(paged), 1), wrong / max(len(paged), 1)))
    table = Table(
        title="A loss that one input causes while others move harmlessly",
        columns=("fault", "streams", "paged", "median window", "the amount named first", "another named first"),
        rows=tuple(rows),
        note=(
            f"{6 + UNUSED} inputs, of which {MOVED} that the model does not use move by {MOVED_BY} standard "
            "deviations on the day of the fault. The input that the first page is about, or that it names first as "
            "what explains the rise."
        ),
    )
    return Result(tables=(table,))


def _extra(stream: int, number: int, rows: int, moved: float = 0.0) -> Floats:
    inputs = np.random.default_rng([SEED, stream, number, 4]).normal(size=(rows, UNUSED))
    inputs[:, :MOVED] += moved
    return inputs


def _quiet(stream: int) -> tuple[LenderDeployment, Run]:
    days = [
        predictions(day, number, _extra(stream, number, day.labels.size))
        for number, day in enumerate(calm_days(stream, 0, REFERENCE + QUIET))
    ]
    deployment = LenderDeployment.of(days[:REFERENCE], spec=lender_spec(UNUSED))
    run = deployment.begin()
    for number, day in enumerate(days[REFERENCE:], start=REFERENCE):
        deployment.step(run, number, day)
    return deployment, run


def faulty(day: Day, name: str, rng: np.random.Generator) -> Day:
    """A day whose amounts are changed before the model answers; its labels are those of the true amounts.

    Returns:
        The day with the answers that the model gives to what it got.
    """
    if name == LABELS:
        return flipped(10.0)(day, 1.0, rng)
    numbers = day.numbers.copy()
    numbers[:, CHANGED] = FAULTS.get(name, shuffled)(numbers[:, CHANGED], rng)
    return replace(day, numbers=numbers, score=linear(numbers, day.region, day.channel))


def _first_named(deployment: LenderDeployment, run: Run, stream: int, name: str) -> tuple[int, str]:
    """The window of the first page after the fault, and the input that it is about or names first, or "none"."""
    first, earlier = REFERENCE + QUIET, set(run.incidents)
    for at, day in enumerate(calm_days(stream, first, DAYS)):
        number = first + at
        changed = faulty(day, name, np.random.default_rng([SEED, stream, number, 5]))
        rows = predictions(changed, number, _extra(stream, number, day.labels.size, MOVED_BY))
        for incident in deployment.step(run, number, rows).changed:
            if incident.level == "page" and incident.number not in earlier:
                return at + 1, named_first(incident)
    return DAYS + 1, "none"


def named_first(incident: IncidentRecord) -> str:
    """The input that a page names first as what explains the harm; empty where it names none."""
    if incident.watch == FACT_WATCH and incident.slice != SUBJECT:
        return incident.slice
    first = next(iter(incident.detail.inputs), None)
    explains = first is not None and (first.explained is None or first.explained >= LEAST_EXPLAINED)
    return first.input if first is not None and explains else ""
