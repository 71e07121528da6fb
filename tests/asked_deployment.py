"""The small deployment with a budget of labels: a week of traffic judged, and 50 of its rows drawn for people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from monitoring.asking.ask import ask
from monitoring.config import load_config
from monitoring.config.files import ConfigFile, read_files
from monitoring.dashboard.stores.named_store import named_stores
from monitoring.dashboard.stores.stores import Stores
from monitoring.runs.run import run_due_windows
from monitoring.store.store import Store
from monitoring.timestamps import as_microseconds
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.log.writer import TrafficWriter
from tests.own_table import REFERENCE, own_rows, watch
from tests.small_deployment import CONFIG, LIVE, Days

#: When the rows are drawn: seven days are over.
ASKED_AT = LIVE + timedelta(days=7, hours=7)

BUDGETED = CONFIG.replace("[windows]", '[labels]\nbudget = "50 per week"\n[windows]\nlabel_horizon = "28d"')


@pytest.fixture
def asked_files(deployed: Path, send: Callable[..., None]) -> tuple[ConfigFile, ...]:
    """The config's file."""
    (deployed / "monitor.toml").write_text(BUDGETED)
    send(deployed, Days(days=7), labels=False)
    config = load_config(deployed / "monitor.toml")
    with Store.open(config.store.url) as store:
        run_due_windows(config, store, clock=lambda: ASKED_AT)
    ask(config, clock=lambda: ASKED_AT, seed=5)
    return read_files([deployed / "monitor.toml"])


def stores_at(files: tuple[ConfigFile, ...]) -> Stores:
    """The dashboard's stores at the time of the draw."""
    return Stores(stores=named_stores(files), files=files, clock=lambda: ASKED_AT)


def send_one(folder: Path, *, origin: str, at: timedelta) -> None:
    """One more row, whose category is any text."""
    writer = TrafficWriter(folder / "traffic", clock=lambda: LIVE + timedelta(days=30))
    rows = AnsweredRows(
        model="flights",
        version=1,
        signature="serving_default",
        request_ids=["told"],
        rows=[0],
        event_times_us=np.array([as_microseconds(LIVE + at)]),
        answered_at_us=0,
        latencies_us=np.zeros(1, dtype=np.int64),
        inputs={"temp": np.array([50.0], dtype=np.float32), "origin": np.array([origin.encode()], dtype=object)},
        outputs={"probabilities": np.array([[0.25, 0.75]], dtype=np.float32)},
        principals=[""],
    )
    writer.append(rows)
    writer.close()


#: What an owner says of a table of `minutes_of`.
MINUTES: dict[str, Any] = {"scores": (), "classes": (), "predicted": "minutes", "task": "regression"}


def asked_table(folder: Path, change: Callable[[pa.Table], pa.Table], **said: Any) -> tuple[ConfigFile, ...]:
    """The config's file of a changed table whose live rows have no labels, judged once, with 50 of its rows drawn."""
    own = watch(folder / "own", change(own_rows(REFERENCE)), **said)
    live = change(own_rows(Days(days=8)))
    for name in {"y", "took", "known_at"} & set(live.column_names):
        live = live.set_column(live.column_names.index(name), name, pa.nulls(live.num_rows, live[name].type))
    own.live("live.parquet", live)
    path = f'[traffic]\npath = "{own.folder / "live"}"\n'
    text = own.adopted.config.read_text().replace("[traffic]\n", path)
    own.adopted.config.write_text(text + '\n[labels]\nbudget = "50 per week"\n')
    own.run(now=ASKED_AT)
    ask(load_config(own.adopted.config), clock=lambda: ASKED_AT, seed=5)
    return read_files([own.adopted.config])


def minutes_of(rows: pa.Table) -> pa.Table:
    """The rows of a table with a number predicted, and a number as its label."""
    rng = np.random.default_rng(3)
    minutes = pa.array(20.0 + np.asarray(rows["temp"], dtype=np.float64))
    place, known = rows.column_names.index("y"), rows["y"].combine_chunks().is_valid()
    truth = pc.if_else(known, pc.add(minutes, pa.array(rng.normal(0.0, 3.0, rows.num_rows))), None)
    return rows.append_column("minutes", minutes).set_column(place, "y", truth).drop_columns(["on_time", "late"])


#: What an owner says of a table of `with_outputs`.
OUTPUTS: dict[str, Any] = {
    "scores": {"delay": ("on_time", "late")},
    "classes": {"delay": ("on_time", "late")},
    "predicted": {"minutes": "minutes"},
    "label": {"delay": "y", "minutes": "took"},
}


def with_outputs(rows: pa.Table) -> pa.Table:
    """The rows of a table with a number predicted beside the class, and its label."""
    numbers = minutes_of(rows)
    return rows.append_column("minutes", numbers["minutes"]).append_column("took", numbers["y"])


def booked(rows: pa.Table) -> pa.Table:
    """The rows of a table with the days on which they were booked, some unknown."""
    days = np.asarray(rows["ts"].combine_chunks().cast(pa.timestamp("us")), dtype="datetime64[D]")
    before = np.random.default_rng(4).integers(0, 9, rows.num_rows)
    return rows.append_column("booked", pa.array(days - before, pa.date32(), mask=before == 8))
