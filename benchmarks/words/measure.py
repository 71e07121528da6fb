"""First sentences of planted faults: what is said first, whether it names the cause, and whether it lasts."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.words.checked import checked_numbers
from benchmarks.words.faults import BEFORE, FIRST, LASTING, REFERENCE, SEED, Fault
from benchmarks.words.other_tables import WORLDS, World
from monitoring.config import load_config
from monitoring.inspection.status import status
from monitoring.onboarding.init import init_monitor
from monitoring.onboarding.table_description import described
from monitoring.records import IncidentRecord
from monitoring.records.incident_order import by_cause
from monitoring.runs.run import run_due_windows
from monitoring.sentences.incident_text import incident_text
from monitoring.store.store import Store

#: Columns of the numbers of a sentence.
_NUMBERS = ((6, "right"), (7, "wrong"), (8, "for which the checker has no rule"))

LIVE = FIRST + timedelta(days=REFERENCE)
SINCE, END = LIVE + timedelta(days=BEFORE), LIVE + timedelta(days=BEFORE + LASTING)
NOW = END + timedelta(hours=3)


def measure(settings: Settings) -> Result:
    """Plant each fault by itself, judge all days, and hold the first sentence against what was planted."""
    rows: list[tuple[Cell, ...]] = []
    for world in WORLDS:
        for fault in world.faults[:4] if settings.quick else world.faults:
            print(f"{world.title}{fault.title}", file=sys.stderr)
            rows.append(_row(world, fault, settings.out / "words" / str(len(rows))))
    planted = [row for row in rows if not str(row[0]).endswith("nothing")]
    count = len(planted)
    numbers = ", ".join(f"{sum(int(row[at] or 0) for row in rows)} {what}" for at, what in _NUMBERS)
    remarks = (
        f"Told: {_counted(planted, 1, 'page', 'notice')} of {count}, by a page {_counted(planted, 1, 'page')}.",
        f"The first sentence names the cause: {_counted(planted, 4, 'yes')} of {count}.",
        f"Open from the first day that it is told to the last: {_counted(planted, 5, 'yes')} of {count}.",
        f"Numbers of first sentences against the raw rows: {numbers}.",
    )
    said = ("level", "day", "first sentence", "cause named", "open to the end")
    columns = ("planted", *said, "right", "wrong", "other")
    note = (
        f"{REFERENCE} days of reference, {BEFORE} sound and {LASTING} with the fault. The sentence is that of the "
        "incident which every view shows first after the last day, of those that opened since the fault; day 1 is the "
        "fault's first. Numbers are right or wrong by the raw rows; for the others the checker has no rule."
    )
    return Result(
        tables=(Table(title="What is said first", columns=columns, rows=tuple(rows), note=note),), remarks=remarks
    )


def _counted(rows: Sequence[tuple[Cell, ...]], column: int, *values: str) -> int:
    return sum(row[column] in values for row in rows)


def _row(world: World, fault: Fault, folder: Path) -> tuple[Cell, ...]:
    reference = world.made(FIRST, REFERENCE, SEED)
    sound = world.made(LIVE, BEFORE, SEED + 1)
    broken = fault.plant(world.made(SINCE, LASTING, SEED + 2), np.random.default_rng(SEED + 3))
    incidents = _judged(folder, world.own, reference, sound, broken)
    title = f"{world.title}{fault.title}"
    since = by_cause([one for one in incidents if one.window_start >= SINCE], NOW)
    if not since:
        return (title, "-", None, "-", *(("no", "no") if fault.names else ("-", "-")), 0, 0, 0)
    sentence = incident_text(since[0]).line
    live = pd.concat([sound, broken.astype({"label": object})], ignore_index=True)
    right, wrong, unchecked = checked_numbers(sentence, reference, live[live["at"] < since[0].window_end])
    named = all(re.search(words, sentence, re.IGNORECASE) for words in fault.names)
    first = min(one.window_start for one in since)
    day = (first - SINCE) // timedelta(days=1) + 1
    lasts = "yes" if _is_covered(since, first) else "no"
    return (title, since[0].level, day, sentence, "yes" if named else "no", lasts, right, wrong, unchecked)


def _judged(
    folder: Path, own: dict[str, Any], reference: pd.DataFrame, *live: pd.DataFrame
) -> tuple[IncidentRecord, ...]:
    """The incidents of a monitor of its own, run once a day."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "live").mkdir(parents=True)
    reference.to_parquet(folder / "reference.parquet")
    for number, rows in enumerate(live):
        rows.to_parquet(folder / "live" / f"{number}.parquet")
    adopted = init_monitor(folder / "reference.parquet", described(**own), out=folder / "monitor", clock=lambda: NOW)
    config = load_config(adopted.config)
    config = config.model_copy(
        update={"traffic": config.traffic.model_copy(update={"path": (folder / "live").absolute()})}
    )
    with Store.open(config.store.url) as store:
        done = run_due_windows(config, store, clock=lambda: NOW)
        return status(store, config.model.name, done.deployment).incidents


def _is_covered(incidents: tuple[IncidentRecord, ...], first: datetime) -> bool:
    """Whether on each day from the first one on an incident is open that began since the fault."""
    days = (END - first) // timedelta(days=1)
    return all(
        any(one.window_start <= day and (one.closed_at is None or one.closed_at > day) for one in incidents)
        for day in (first + timedelta(days=number) for number in range(days))
    )
