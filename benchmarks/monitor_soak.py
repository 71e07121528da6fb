"""A thousand simulated days of twenty deployments in one process: memory, store, processor time, events."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.results import Result, Settings, Table
from monitoring.config import MonitorConfig, RouteSection, load_config
from monitoring.evidence import sensitivity
from monitoring.notifications.digest import Message
from monitoring.notifications.routes.sending import Delivery
from monitoring.onboarding.init import init_monitor
from monitoring.onboarding.table_description import described
from monitoring.runs.idle import idle_deployment
from monitoring.runs.run import ExternalServices, run_due_windows
from monitoring.service.fit_cache import FitCache
from monitoring.store.store import Store

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)

#: Windows of the reference, and rows of a window.
REFERENCE_DAYS, ROWS = 30, 60

#: Of each fourth deployment the labels are wrong for the last of so many days.
HARM_DAYS, HARM_EVERY, HARMED = 10, 100, 4

#: Days between two runs, whose rows come as one file; and files that are kept, for longer than labels are waited for.
RUN_EVERY, KEPT_FILES = 10, 2

#: Simulated streams for the smallest harm that is detected: few, as that is no part of what is looked at here.
SIMULATIONS = 20

#: The two halves of the deployments: one keeps everything, one drops details, in a store each.
STORES = ("all kept", "details for 90 days")


@dataclass(slots=True)
class SentEvents:
    """Events that receivers were sent, and how often."""

    events: Counter[str] = field(default_factory=Counter)

    def __call__(self, message: Message, routes: Sequence[RouteSection]) -> tuple[Delivery, ...]:
        """Take a message; every receiver is reached."""
        self.events[message.event] += 1
        return tuple(Delivery(shown="", receiver=route.receiver, ok=True, detail="") for route in routes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What is measured on one day."""

    day: int
    cpu: float
    rss_mb: float
    files: int
    store_mb: tuple[float, float]


def measure(settings: Settings) -> Result:
    """Run the soak. Cost: some ten minutes of processor time, and 300 MB of disk."""
    days, deployments = (40, 4) if settings.quick else (1_000, 20)
    every = days // 10 if days > 100 else RUN_EVERY
    sensitivity.SIMULATIONS = SIMULATIONS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        configs = make_deployments(folder, deployments)
        sent, fits = SentEvents(), FitCache()
        looks = [_look(folder, 0)]
        for day in range(0, days, RUN_EVERY):
            now = FIRST + (REFERENCE_DAYS + day + RUN_EVERY) * DAY + timedelta(hours=7)
            for number, config in enumerate(configs):
                _live(folder, number, day)
                _run(config, now, sent, fits, str(number))
            if (day + RUN_EVERY) % every == 0:
                looks.append(_look(folder, day + RUN_EVERY))
                print(looks[-1], file=sys.stderr)
        with opened(folder) as stores:
            counts = [
                len(store.windows.read(summary.number, scores=False))
                for store in stores
                for summary in store.overview.summaries()
            ]
            scores = len(stores[0].deployments.baseline(1))
    return Result(
        tables=(_table(looks, days, deployments, scores),), remarks=_remarks(looks, counts, days, sent.events)
    )


def make_deployments(folder: Path, count: int) -> list[MonitorConfig]:
    """Write deployments of one reference into folders of their own, in two stores."""
    pq.write_table(rows_of(0, REFERENCE_DAYS, seed=0), folder / "reference.parquet")
    description = described(event_time="ts", scores=("p",), label="y", prediction_id="id", traffic="live/*.parquet")
    init_monitor(
        folder / "reference.parquet", description, out=folder / "one", clock=lambda: FIRST + REFERENCE_DAYS * DAY
    )
    text = (folder / "one" / "monitor.toml").read_text()
    configs = []
    for number in range(count):
        place = folder / f"{number:03d}"
        shutil.copytree(folder / "one", place)
        (place / "live").mkdir()
        url = f"sqlite:///{folder / f'store-{number % 2}.db'}"
        more = f'\n[deployment]\nname = "d{number}"\n[[notify]]\nroute = "command"\ncommand = ["true"]\n'
        more += '[retention]\ndetails = "90d"\n' if number % 2 else ""
        config = load_config(_written(place / "monitor.toml", text + more))
        configs.append(config.model_copy(update={"store": config.store.model_copy(update={"url": url})}))
    return configs


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def rows_of(first: int, days: int, *, seed: int, wrong: bool = False) -> pa.Table:
    """Predictions on some days: two numbers, a category, an id, a probability, and a label that follows it, or not."""
    rng = np.random.default_rng(seed)
    count = days * ROWS
    day = np.repeat(np.arange(first, first + days), ROWS)
    seconds = 86_400 * day + np.tile(np.arange(ROWS) * (86_400 // ROWS), days)
    numbers = rng.normal(size=(count, 2))
    score = 1.0 / (1.0 + np.exp(-2 * numbers[:, 0] - numbers[:, 1]))
    truth = 1.0 - score if wrong else score
    return pa.table(
        {
            "ts": pa.array((seconds + int(FIRST.timestamp())) * 1_000_000, pa.timestamp("us", "UTC")),
            "id": pa.array([f"{seed}-{number}" for number in range(count)]),
            "x0": numbers[:, 0],
            "x1": numbers[:, 1],
            "origin": np.array(["a", "b"])[rng.integers(0, 2, count)],
            "p": score,
            "y": (rng.random(count) < truth).astype(np.int64),
        }
    )


def _live(folder: Path, number: int, day: int) -> None:
    """Write a deployment's rows since the last run, and remove those that are not needed any more."""
    live = folder / f"{number:03d}" / "live"
    wrong = number % HARMED == 0 and day % HARM_EVERY >= HARM_EVERY - HARM_DAYS
    rows = rows_of(REFERENCE_DAYS + day, RUN_EVERY, seed=1 + number + 1_000 * day, wrong=wrong)
    pq.write_table(rows, live / f"{day}.parquet")
    (live / f"{day - KEPT_FILES * RUN_EVERY}.parquet").unlink(missing_ok=True)


def _run(config: MonitorConfig, now: datetime, sent: SentEvents, fits: FitCache, name: str) -> None:
    """One tick of the service: what is due is judged, by a store that is opened for it."""
    if idle_deployment(config, now) is not None:
        return
    with Store.open(config.store.url) as store:
        services = ExternalServices(notify=sent, deploy=partial(fits.deploy, name))
        run_due_windows(config, store, clock=lambda: now, services=services)


@contextmanager
def opened(folder: Path) -> Iterator[list[Store]]:
    """Both stores."""
    stores = [Store.open(f"sqlite:///{folder / f'store-{number}.db'}") for number in (0, 1)]
    try:
        yield stores
    finally:
        for store in stores:
            store.close()


def _look(folder: Path, day: int) -> Look:
    gc.collect()
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    sizes = tuple(sum(path.stat().st_size for path in folder.glob(f"store-{number}.db*")) for number in (0, 1))
    return Look(
        day=day,
        cpu=time.process_time(),
        rss_mb=resident / 1e6,
        files=sum(1 for _ in Path("/proc/self/fd").iterdir()),
        store_mb=(sizes[0] / 1e6, sizes[1] / 1e6),
    )


def _table(looks: Sequence[Look], days: int, deployments: int, scores: int) -> Table:
    rows = tuple(
        (
            after.day,
            1_000 * (after.cpu - before.cpu) / ((after.day - before.day) * deployments),
            after.rss_mb,
            after.files,
            *(mb for mb in after.store_mb),
            *(
                1_000 * (new - old) / ((after.day - before.day) * deployments / 2)
                for old, new in zip(before.store_mb, after.store_mb, strict=True)
            ),
        )
        for before, after in pairwise(looks)
    )
    return Table(
        title=f"{days:,} days, {deployments} deployments, a window a day each, {scores} scores a window",
        columns=(
            "day",
            "CPU ms a window",
            "MB resident",
            "open files",
            *(f"store MB, {name}" for name in STORES),
            *(f"kB a window, {name}" for name in STORES),
        ),
        rows=rows,
        note=f"{ROWS} rows a window, {REFERENCE_DAYS} windows of reference, a run every {RUN_EVERY} days; two SQLite "
        "stores, half of the deployments in each. Time includes writing the rows and opening the store. Of every "
        f"{HARMED}th deployment the labels are wrong for {HARM_DAYS} of {HARM_EVERY} days.",
    )


def _remarks(looks: Sequence[Look], counts: Sequence[int], days: int, events: Counter[str]) -> tuple[str, ...]:
    """What was judged and told, and what is not as it should be."""
    remarks = [f"{len(events)} events were sent, each once."]
    if set(counts) != {days}:
        remarks.append(f"Not every deployment has {days} windows: {sorted(set(counts))}.")
    if set(events.values()) - {1}:
        remarks.append(f"Events were sent more than once: {sum(count > 1 for count in events.values())}.")
        remarks.pop(0)
    half = looks[len(looks) // 2]
    if looks[-1].rss_mb > 1.1 * half.rss_mb:
        remarks.append(f"Memory grows: {half.rss_mb:.0f} MB on day {half.day}, {looks[-1].rss_mb:.0f} MB at the end.")
    return tuple(remarks)
