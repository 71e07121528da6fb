"""Fifty labels a week, of rows drawn from all: false pages, how soon harm is told, and whether as soon as was said."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.truth.lender.changes import flipped
from benchmarks.truth.lender.deployment import LenderDeployment, Run
from benchmarks.truth.lender.harms import raises_page
from benchmarks.truth.lender.law import predictions
from benchmarks.truth.lender.streams import REFERENCE, SEED, YEAR, calm_days
from monitoring.asking.sample import UniformSample, labels_due
from monitoring.baseline.predictions import Predictions
from monitoring.evidence.budget import Budget
from monitoring.onboarding.label_promise import RISES, promises_of
from monitoring.records import Level
from monitoring.tasks.task import NO_LABEL

#: Deployments; those of them that are judged without a budget of labels besides.
FULL, QUICK = (200, 40), (2, 1)

#: Labels that people give, in so many days.
LABELS, DAYS = 50, 7

#: Days before a harm; each deployment has its harm on another one of four weeks.
QUIET = 30

#: What `init` writes: one page in five years of days.
BUDGETS: dict[Level, Budget] = {"page": Budget(alarms=1, windows=1825), "notice": Budget(alarms=1, windows=30)}

#: The first day of the first reference.
_FIRST = date(2026, 1, 5)

_POINTS = tuple(round(100 * rise) for rise in RISES)


def measure(settings: Settings) -> Result:
    """Deployments with fifty labels a week. Cost: an hour of one core; each deployment is kept."""
    deployments, plain = QUICK if settings.quick else FULL
    kept = settings.out / "asked-labels.jsonl"
    done = {each["stream"]: each for each in _read(kept)}
    kept.parent.mkdir(parents=True, exist_ok=True)
    for stream in range(deployments):
        if stream not in done:
            done[stream] = of_stream(stream, plain=stream < plain)
            with kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps(done[stream]) + "\n")
            print(f"deployment {stream + 1} of {deployments}: {done[stream]}", file=sys.stderr)
    found = [done[stream] for stream in range(deployments)]
    return Result(tables=(_quiet_table(found), _told_table(found)))


def of_stream(stream: int, *, plain: bool) -> dict[str, Any]:
    """One deployment: pages of its year without harm, and the days until each harm is told, beside what was said.

    Args:
        plain: Whether the harms are judged without a budget of labels besides.
    """
    deployment = _deployed(stream, few_labels=True)
    said = {round(100 * each.rise): each.weeks for each in promises_of(deployment.fit, LABELS / DAYS, 1.0)}
    result: dict[str, Any] = {"stream": stream, "said": said, "told": _told(deployment, stream)}
    if plain:
        result["plain"] = _told(_deployed(stream, few_labels=False), stream)
    run, pages = deployment.begin(), 0
    for number, day in enumerate(calm_days(stream, REFERENCE, YEAR), start=REFERENCE):
        pages += raises_page(deployment.step(run, number, asked(predictions(day, number), number, stream)))
    return {**result, "pages": pages}


def _deployed(stream: int, *, few_labels: bool) -> LenderDeployment:
    days = [predictions(day, number) for number, day in enumerate(calm_days(stream, 0, REFERENCE))]
    return LenderDeployment.of(days, budgets=BUDGETS, few_labels=few_labels)


def asked(day: Predictions, number: int, seed: int) -> Predictions:
    """A day with the labels that a budget allows, of rows that are drawn as `pitfalls labels ask` draws them."""
    due = labels_due(_FIRST + timedelta(days=number), _FIRST + timedelta(days=number + 1), LABELS, DAYS)
    sample = UniformSample(due, seed=seed)
    sample.add(day.ids, day.event_times)
    drawn = np.asarray(pc.is_in(day.ids, value_set=sample.ids.cast(pa.string())), dtype=np.bool_)
    return replace(day, labels=np.where(drawn, day.labels, NO_LABEL))


def _told(deployment: LenderDeployment, stream: int) -> dict[int, int | None]:
    """The day of the first page of each harm, from 1; None where there is none in a year."""
    begins = REFERENCE + QUIET + stream % 28
    run = deployment.begin()
    for number, day in enumerate(calm_days(stream, REFERENCE, begins - REFERENCE), start=REFERENCE):
        deployment.step(run, number, asked(predictions(day, number), number, stream))
    return {points: _first_page(deployment, run.copied(), stream, points, begins) for points in _POINTS}


def _first_page(deployment: LenderDeployment, run: Run, stream: int, points: int, begins: int) -> int | None:
    harm = flipped(float(points))
    for at, calm in enumerate(calm_days(stream, begins, YEAR)):
        number = begins + at
        day = harm(calm, 1.0, np.random.default_rng([SEED, stream, number, 1]))
        if raises_page(deployment.step(run, number, asked(predictions(day, number), number, stream))):
            return at + 1
    return None


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _quiet_table(found: Sequence[dict[str, Any]]) -> Table:
    pages = np.array([each["pages"] for each in found])
    row: tuple[Cell, ...] = (
        f"{LABELS} labels a week",
        len(found),
        float(pages.mean()),
        float(pages.std() / np.sqrt(pages.size)),
        float((pages > 0).mean()),
    )
    return Table(
        title="Years without harm",
        columns=("labels", "deployments", "pages in 365", "± SE", "years with any"),
        rows=(row,),
        note=f"Promised: one page in 1,825 windows, {YEAR / 1825:.2f} in {YEAR}. {REFERENCE} days of reference, all of "
        "whose 400 rows a day have their label.",
    )


def _told_table(found: Sequence[dict[str, Any]]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for points in _POINTS:
        key = str(points)
        pairs = [({str(k): v for k, v in each["said"].items()}.get(key), _days(each["told"], key)) for each in found]
        said = [weeks for weeks, _ in pairs if weeks is not None]
        kept = [day <= 7 * weeks for weeks, day in pairs if weeks is not None]
        plain = [_days(each["plain"], key) for each in found if "plain" in each]
        rows.append(
            (
                f"error +{points}",
                float(np.median(said)) if said else None,
                f"{len(said)} of {len(pairs)}",
                float(np.mean(kept)) if kept else None,
                *(float(np.quantile([day for _, day in pairs], part, method="higher")) / 7 for part in (0.5, 0.9)),
                float(np.median([day for each, (_, day) in zip(found, pairs, strict=True) if "plain" in each])) / 7,
                float(np.median(plain)) / 7,
            )
        )
    return Table(
        title="How soon harm is told",
        columns=(
            "harm",
            "weeks said (median)",
            "of deployments",
            "kept",
            "told in weeks (median)",
            "told in weeks (nine in ten)",
            "of those also judged without a budget",
            "these without a budget",
        ),
        rows=tuple(rows),
        note="The harm begins on another day of four weeks in each deployment. Without a budget a loss is tested from "
        f"200 labels on, with one from 50. A year and a day where it is not told within {YEAR} days.",
    )


def _days(told: dict[Any, int | None], key: str) -> int:
    day = {str(name): value for name, value in told.items()}[key]
    return YEAR + 1 if day is None else day
