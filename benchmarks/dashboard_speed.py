"""Server time and size of every page of the dashboard, over a store of many deployments with a long history."""

from __future__ import annotations

import asyncio
import math
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
from starlette.types import ASGIApp, Receive, Scope, Send

from benchmarks.results import Cell, Result, Settings, Table
from monitoring.dashboard.access.access import Access
from monitoring.dashboard.stores.named_store import NamedStore
from monitoring.dashboard.stores.stores import Stores
from monitoring.dashboard.web.app import Changes, dashboard_app
from monitoring.records import BaselineScore, IncidentRecord, Level, RunRecord, ScoreRecord, WindowRecord
from monitoring.store import DeploymentRecord, Store
from tests.incident_words import worded

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)

#: Windows that are judged through the store; the others are copies of them at other times.
TEMPLATE = 50

#: Runs of each deployment that the store keeps, at most.
RUNS = 1000

#: What a page may take and weigh, and what the overview may take with ten thousand deployments.
MOST_MS, MOST_KB, MOST_MS_OF_MANY = 150.0, 300.0, 500.0

COLUMNS = ("page", "median ms", "largest ms", "static ms", "ratio", "kB", "kB sent")
NOTE = "Processor time of a request, client included: median and largest; static: the same bytes, ready-made."


def measure(settings: Settings) -> Result:
    """Fill two stores, and ask for each page in turn. Cost: minutes and a gigabyte of disk; seconds with `quick`."""
    deployments, windows, watches, rounds = (3, 100, 40, 1) if settings.quick else (100, 1000, 40, 10)
    many = 20 if settings.quick else 10_000
    rows, looks = _measured((deployments, windows, watches), addresses(windows), rounds)
    wide, wide_looks = _measured((many, TEMPLATE, 2), OVERVIEWS, rounds)
    beyond = [str(row[0]) for row in rows if float(row[1] or 0) > MOST_MS or float(row[6] or 0) > MOST_KB]
    slow = [str(row[0]) for row in wide if float(row[1] or 0) > MOST_MS_OF_MANY]
    title = f"Pages of the dashboard: {deployments} deployments x {windows:,} windows x {watches} watches"
    live = (
        f"Live updates look at the store every 5 s, in {looks:.2f} ms: {100 * looks / 5000:.2g} % of a core; with "
        f"{many:,} deployments in {wide_looks:.2f} ms."
    )
    remarks = (
        live,
        *(f"Beyond {MOST_MS:.0f} ms or {MOST_KB:.0f} kB: {name}." for name in beyond),
        *(f"Beyond {MOST_MS_OF_MANY:.0f} ms with {many:,} deployments: {name}." for name in slow),
    )
    tables = (
        Table(title=title, columns=COLUMNS, rows=rows, note=NOTE),
        Table(title=f"{many:,} deployments x {TEMPLATE} windows x 2 watches", columns=COLUMNS, rows=wide, note=NOTE),
    )
    return Result(tables=tables, remarks=remarks)


def _measured(
    sizes: tuple[int, int, int], pages_of: Mapping[str, str], rounds: int
) -> tuple[tuple[tuple[Cell, ...], ...], float]:
    """The rows of a table, and ms of a look for changes: of a store of so many deployments, windows and watches."""
    deployments, windows, watches = sizes
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pitfalls.db"
        fill(path, deployments, windows, watches)
        print(f"filled {path.stat().st_size / 1e6:,.0f} MB", file=sys.stderr)
        source = NamedStore(name="shop", url=f"sqlite:///{path}", files=())
        stores = Stores(stores=(source,), clock=lambda: FIRST + windows * DAY + timedelta(hours=7))
        app = dashboard_app(lambda: stores, Access(names=frozenset({"dashboard"})), Changes(stores.fingerprint))
        rows = tuple(asyncio.run(_row(app, name, address, rounds)) for name, address in pages_of.items())
        looks = _looks(stores.fingerprint, rounds)
        source.close()
    return rows, looks


#: The pages that are asked for with many deployments.
OVERVIEWS = {
    "overview": "/",
    "overview, page 3": "/?page=3",
    "overview, searched": "/?q=model-7&state=ok",
    "overview, by model": "/?group=model",
    "deployments, API": "/api/v1/deployments",
    "wall": "/?wall",
    "jobs": "/jobs",
    "deployment": "/d/shop/1",
}


def addresses(windows: int) -> dict[str, str]:
    """The pages that are asked for, by name."""
    middle = FIRST + (windows // 2) * DAY
    return {
        "overview": "/",
        "overview, searched": "/?q=model-7&state=ok",
        "wall": "/?wall",
        "jobs": "/jobs",
        "jobs, failed": "/jobs?failed=1",
        "deployment": "/d/shop/1",
        "jobs of a deployment": "/d/shop/1/runs",
        "compare": "/d/shop/1/compare",
        "inputs": "/d/shop/1/inputs",
        "inputs, 1,000 windows": "/d/shop/1/inputs?windows=1000",
        "input": "/d/shop/1/input?of=input:column_1",
        "input, 1,000 windows": "/d/shop/1/input?of=input:column_1&windows=1000",
        "deployment, 1,000 windows": "/d/shop/1?windows=1000",
        "incident": "/d/shop/1/incidents/1",
        "window": f"/d/shop/1/windows/{middle:%Y-%m-%dT%H:%M:%SZ}",
        "CSV of 1,000 windows": "/d/shop/1/tables/windows.csv?windows=1000",
    }


def fill(path: Path, deployments: int, windows: int, watches: int) -> None:
    """Write a store: some windows through the store itself, all others as copies of them at other times.

    Args:
        deployments: How many deployments; every tenth has an open page, of more than a thousand every hundredth.
        windows: Windows of each, a multiple of `TEMPLATE`.
    """
    rng = np.random.default_rng(7)
    names = ("brier", "error", *(f"input:column_{place}:location" for place in range(watches - 2)))
    used = FIRST + windows * DAY
    with Store.open(f"sqlite:///{path}") as store:
        store.find_or_create(_record(used))
        for place in range(TEMPLATE):
            store.commit_window(1, _window(place, names, rng), states={}, label_cursor={}, incidents=())
        store.deployments.save_baseline(1, tuple(map(_baseline, names)))
        store.runs.begin(1, RunRecord(started_at=used, ended_at=used + timedelta(seconds=3), windows=1, rows=1000))
    _copy(path, deployments, windows)
    with Store.open(f"sqlite:///{path}") as store:
        for number in range(1, deployments + 1, 10 if deployments <= 1000 else 100):
            last = store.windows.recent(number, latest=1)[0]
            after = replace(last, start=last.end, end=last.end + DAY, scores=_window(0, names, rng).scores)
            store.commit_window(number, after, states={}, label_cursor={}, incidents=(_page(after),))


def _copy(path: Path, deployments: int, windows: int) -> None:
    """Copy deployment 1 and its run, and its windows with their scores to later times and to every other deployment.

    They lie as a store writes them: window after window in order of time, each with its scores together.
    """
    connection = sqlite3.connect(path)
    _copy_deployments(connection, deployments)
    columns = _columns(connection, "window", leave_out=("id", "deployment", "start", "end"))
    listed = ", ".join(f'"{name}"' for name in columns)
    copied = ", ".join(f'w."{name}"' for name in columns)
    later = "strftime('%Y-%m-%d %H:%M:%f', w.\"{name}\", '+' || (c.k * {length}) || ' days') || '000'"
    times = ", ".join(later.format(name=name, length=TEMPLATE) for name in ("start", "end"))
    series = f"WITH RECURSIVE c(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM c WHERE k + 1 < {windows // TEMPLATE}) "  # noqa: S608 - numbers and names of columns
    number = f"{TEMPLATE} + (c.k * {TEMPLATE} + w.id) * {deployments} + d.id"
    in_time = "FROM c CROSS JOIN window w CROSS JOIN deployment d"
    others = f"w.deployment = 1 AND w.id <= {TEMPLATE} AND NOT (d.id = 1 AND c.k = 0)"
    connection.execute(
        series
        + f'INSERT INTO window (id, deployment, "start", "end", {listed}) '
        + f"SELECT {number}, d.id, {times}, {copied} {in_time} WHERE {others}"
    )
    connection.execute(
        series
        + 'INSERT INTO score ("window", position, level, watch, slice, rows, value, log_evidence) '
        + f"SELECT {number}, s.position, s.level, s.watch, s.slice, s.rows, s.value, s.log_evidence "
        + f"{in_time} CROSS JOIN score s ON s.window = w.id WHERE {others}"
    )
    connection.commit()
    connection.close()


def _copy_deployments(connection: sqlite3.Connection, deployments: int) -> None:
    """Copy deployment 1 under other names, and its run until each has as many as are kept, a hundred of them in all."""
    columns = ", ".join(f'd."{name}"' for name in _columns(connection, "deployment", leave_out=("id", "model", "name")))
    listed = columns.replace("d.", "")
    series = "WITH RECURSIVE c(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM c WHERE k + 1 < ?) "
    connection.execute(
        series
        + f"INSERT INTO deployment (id, model, name, {listed}) "
        + f"SELECT c.k + 1, 'model-' || c.k, 'model-' || c.k, {columns} "
        + "FROM c, deployment d WHERE c.k > 0 AND d.id = 1",
        (deployments,),
    )
    names = _columns(connection, "run", leave_out=("id", "deployment"))
    listed, columns = (", ".join(f'{of}"{name}"' for name in names) for of in ("", "r."))
    connection.execute(
        series  # noqa: S608 - names of columns
        + f"INSERT INTO run (deployment, {listed}) "
        + f"SELECT d.id, {columns} FROM c, deployment d, run r WHERE d.id <= 100 AND r.id = 1",  # noqa: S608 - names of columns
        (RUNS - 1,),
    )


def _columns(connection: sqlite3.Connection, table: str, leave_out: tuple[str, ...]) -> list[str]:
    cursor = connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    return [name for (name,) in cursor if name not in leave_out]


def _baseline(name: str) -> BaselineScore:
    return BaselineScore(level=_level(name), watch=name, slice="", mean=0.2, deviation=0.02, tolerance=0.01, windows=90)


def _record(used: datetime) -> DeploymentRecord:
    return DeploymentRecord(
        model="model-0",
        version=1,
        settings_digest="ab" * 32,
        created_at=used,
        timezone="UTC",
        page_budget="1 per 365 windows",
        page_threshold=365.0,
        notice_budget="1 per 30 windows",
        notice_threshold=30.0,
    )


def _level(name: str) -> Level:
    return "page" if name in ("brier", "error") else "notice"


def _window(place: int, names: tuple[str, ...], rng: np.random.Generator) -> WindowRecord:
    return WindowRecord(
        start=FIRST + place * DAY,
        end=FIRST + (place + 1) * DAY,
        rows=1000,
        labels=950,
        labels_due=1000,
        labels_unknown=0,
        repeats=0,
        status="notice" if place % 17 == 0 else "ok",
        page_log_evidence=math.log(2.0 + place % 7),
        notice_log_evidence=math.log(1.0 + place % 5),
        scores=tuple(
            ScoreRecord(
                level=_level(name),
                watch=name,
                slice="",
                rows=950,
                value=float(0.2 + 0.02 * rng.standard_normal()),
                log_evidence=float(rng.standard_normal()),
            )
            for name in names
        ),
    )


def _page(window: WindowRecord) -> IncidentRecord:
    return IncidentRecord(
        number=1,
        level="page",
        state="open",
        opened_at=window.end,
        window_start=window.start,
        window_end=window.end,
        watch="brier",
        slice="",
        diagnoses=worded(
            "the model is overconfident (surprise +0.063)", "Brier score averaged 0.26. Next step: check the labels."
        ),
    )


async def _row(app: ASGIApp, name: str, address: str, rounds: int) -> tuple[Cell, ...]:
    times, page = await _times(app, address, rounds)
    static, _ = await _times(_static(page), address, rounds)
    median = statistics.median(times)
    plain = statistics.median(static)
    sent = page.num_bytes_downloaded
    return name, median, max(times), plain, median / plain, len(page.content) / 1e3, sent / 1e3


async def _times(app: ASGIApp, address: str, rounds: int) -> tuple[list[float], httpx.Response]:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://dashboard") as client:
        page = await client.get(address)
        assert page.status_code == 200, (address, page.status_code)
        times = []
        for _ in range(rounds):
            begun = time.process_time()
            page = await client.get(address)
            times.append(1e3 * (time.process_time() - begun))
    return times, page


def _static(page: httpx.Response) -> ASGIApp:
    """An application that answers with the same bytes."""
    body = page.content

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        await send({"type": "http.response.body", "body": body})

    return app


def _looks(look: Callable[[], str], rounds: int) -> float:
    begun = time.process_time()
    for _ in range(rounds):
        look()
    return 1e3 * (time.process_time() - begun) / rounds
