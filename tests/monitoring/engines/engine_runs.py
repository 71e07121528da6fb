"""One deployment's live rows in several layouts, and what the store says once some engine has read them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.config import load_config
from monitoring.engines.engine import Engine
from monitoring.inspection.status import status
from monitoring.records import IncidentRecord, WindowRecord
from monitoring.runs.run import ExternalServices, judge_windows, run_due_windows
from monitoring.runs.run_request import DueRequest
from monitoring.sources import traffic
from monitoring.store.store import Store
from tests.lake_writers import delta_with_deletes, iceberg_delete, iceberg_table
from tests.own_table import Watched, own_rows
from tests.small_deployment import LIVE, Days

#: Writes rows into a folder.
Layout = Callable[[pa.Table, Path], None]

DAY_US = 86_400_000_000

#: When all windows of the rows are due.
END = LIVE + timedelta(days=28)


@dataclass(frozen=True, kw_only=True)
class Records:
    """What the store says of a deployment."""

    windows: tuple[WindowRecord, ...]
    incidents: tuple[IncidentRecord, ...]


def hostile_rows(days: int = 24) -> pa.Table:
    """Days of which the second half is broken: with repeats, odd labels, missing cells and late labels."""
    rows = own_rows(Days(days=days, start=LIVE, broken_from=days // 2, seed=11))
    count, rng = rows.num_rows, np.random.default_rng(5)
    labels = rows["y"].to_pylist()
    for place in rng.choice(count, 30, replace=False):
        labels[place] = ["maybe", "LATE", None][place % 3]
    temps = np.asarray(rows["temp"], dtype=np.float64).copy()
    temps[rng.choice(count, 50, replace=False)] = np.nan
    temps[rng.choice(count, 5, replace=False)] = np.inf
    answers = [np.asarray(rows[name], dtype=np.float64).copy() for name in ("on_time", "late")]
    gone = rng.choice(count, 25, replace=False)
    origins = rows["origin"].to_pylist()
    for place in rng.choice(count, 40, replace=False):
        origins[place] = ["XNA", None][place % 2]
    for values in answers:
        values[gone] = np.nan
    rows = rows.set_column(rows.column_names.index("y"), "y", pa.array(labels, pa.string()))
    rows = rows.set_column(rows.column_names.index("temp"), "temp", pa.array(temps))
    rows = rows.set_column(rows.column_names.index("origin"), "origin", pa.array(origins, pa.string()))
    for name, values in zip(("on_time", "late"), answers, strict=True):
        rows = rows.set_column(rows.column_names.index(name), name, pa.array(values))
    known = rows["known_at"].to_pylist()  # half of the labels become known with their rows
    known = [None if place % 2 else when for place, when in enumerate(known)]
    rows = rows.set_column(rows.column_names.index("known_at"), "known_at", pa.array(known, rows["known_at"].type))
    again = rows.take(pa.array(rng.choice(count, 20, replace=False)))
    later = pa.array(np.asarray(again["ts"].cast(pa.int64())) + DAY_US // 3).cast(rows["ts"].type)
    return pa.concat_tables([rows, again.set_column(again.column_names.index("ts"), "ts", later)])


def one_file(rows: pa.Table, folder: Path) -> None:
    """Rows as they come, in one row group."""
    pq.write_table(rows, folder / "a.parquet")


def cut(seed: int, *, files: int, group: int, shuffled: bool) -> Layout:
    """Rows cut at random into files with small row groups; shuffled, every file has rows of every day."""

    def write(rows: pa.Table, folder: Path) -> None:
        rng = np.random.default_rng(seed)
        order = rng.permutation(rows.num_rows) if shuffled else np.arange(rows.num_rows)
        places = np.sort(rng.choice(rows.num_rows, files - 1, replace=False))
        for number, part in enumerate(np.split(order, places)):
            pq.write_table(rows.take(pa.array(part)), folder / f"{number}.parquet", row_group_size=group)

    return write


def delta(rows: pa.Table, folder: Path) -> None:
    """Rows as a Delta Lake table, a few more of which were deleted by a deletion vector."""
    more = rows.slice(0, 40)
    places = range(0, 40 * 3, 3)
    mixed = _woven(rows, more, places)
    delta_with_deletes(mixed, folder, places, mode="overwrite")


def iceberg(rows: pa.Table, folder: Path) -> None:
    """Rows as an Apache Iceberg table of two files, some of which were deleted by a delete file."""
    half = rows.num_rows // 2
    table = iceberg_table(_woven(rows.slice(0, half), rows.slice(half, 30), range(0, 60, 2)), folder)
    iceberg_delete(table, range(0, 60, 2))
    table.append(rows.slice(half))


def _woven(rows: pa.Table, others: pa.Table, places: Sequence[int]) -> pa.Table:
    """Rows with others at some places."""
    order = np.setdiff1d(np.arange(rows.num_rows + others.num_rows), np.asarray(places))
    whole = np.empty(rows.num_rows + others.num_rows, dtype=np.int64)
    whole[order], whole[np.asarray(places)] = np.arange(rows.num_rows), rows.num_rows + np.arange(others.num_rows)
    return pa.concat_tables([rows, others]).take(pa.array(whole))


def run_in(
    watched: Watched, folder: Path, layout: Layout, engine: Callable[[], Engine] | None, patch: pytest.MonkeyPatch
) -> Records:
    """Judge all rows in two runs, the second of which sees labels that came, or changed, since the first."""
    shutil.copytree(watched.adopted.config.parent, folder / "flights")
    config = load_config(folder / "flights/monitor.toml")
    live = folder / "live"
    config = config.model_copy(update={"traffic": config.traffic.with_path(live)})
    if engine is not None:
        patch.setattr(traffic, "engine_of", lambda *_: engine())
    rows, half = hostile_rows(), LIVE + timedelta(days=16)
    first = rows.filter(pa.array(np.asarray(rows["ts"].cast(pa.int64())) < int(half.timestamp() * 1e6)))
    labels = first["y"].to_pylist()
    hidden = set(np.random.default_rng(9).choice(first.num_rows, 60, replace=False).tolist())
    some = [None if place in hidden else label for place, label in enumerate(labels)]
    first = first.set_column(first.column_names.index("y"), "y", pa.array(some, pa.string()))
    number = 0
    with Store.open(config.store.url) as store:
        for part, now in ((first, half), (rows, END)):
            shutil.rmtree(live, ignore_errors=True)
            live.mkdir()
            layout(part, live)
            number = run_due_windows(config, store, clock=lambda now=now: now).deployment  # type: ignore[misc]
        found = status(store, config.name, number)
    return Records(windows=found.windows, incidents=found.incidents)


def windows_judged(home: Path, folder: Path, update: dict[str, object], live: Any = None) -> list[str]:
    """Judge all windows of a copy of a deployment.

    Args:
        home: Its folder.
        folder: Where the copy is made.
        update: Sections of its config, made of what they are there.
        live: A frame in place of the config's traffic.

    Returns:
        What the store says of each window.
    """
    shutil.copytree(home, folder)
    config = load_config(folder / "monitor.toml").model_copy(update=update)
    services = ExternalServices(live=live)
    with Store.open(config.store.url) as store:
        done = judge_windows(config, store, DueRequest(sensitivity=False), clock=lambda: END, services=services)
        return [*map(plain, status(store, config.name, done.deployment).windows)]


def same(some: Records, others: Records) -> None:
    """Every window and incident is the same, findings and scores included, to the last bit."""
    assert len(some.windows) == len(others.windows)
    for left, right in zip(some.windows, others.windows, strict=True):
        assert [*map(plain, left.findings)] == [*map(plain, right.findings)], left.start
        assert plain(left) == plain(right), left.start
    assert [plain(one) for one in some.incidents] == [plain(one) for one in others.incidents]


def plain(record: Any) -> str:
    """A record as text, in which each float has all of its digits."""
    return repr(replace(record))
