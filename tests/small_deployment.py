"""Fixtures of a small deployment that is real in every part: a baseline with a TFDV schema, traffic, labels, a config.

The model is the truth itself: it answers with the probability that labels are drawn by, so it is calibrated until a
harm is planted: from `broken_from` on, labels are drawn by another probability than the one that is answered.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.folder import write_baseline
from monitoring.baseline.schema import infer_schema, write_schema
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.timestamps import as_microseconds
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.labels.label_writer import LabelWriter
from monitoring.traffic.log.writer import TrafficWriter

FIRST = datetime(2013, 1, 1, tzinfo=UTC)
LIVE = datetime(2013, 4, 1, tzinfo=UTC)
LATER = datetime(2014, 1, 1, tzinfo=UTC)
SPEC = BaselineSpec(
    classes=("on_time", "late"),
    features=(FeatureSpec(name="temp", kind="number"), FeatureSpec(name="origin", kind="category")),
)
ROWS_A_DAY = 60
CONFIG = """\
[model]
bundle = "models/flights"
[traffic]
path = "traffic"
slices = ["origin"]
[windows]
min_rows = 20
lateness = "6h"
[store]
url = "sqlite:///pitfalls.db"
"""


@dataclass(frozen=True, kw_only=True)
class Days:
    """How days of traffic are made."""

    days: int
    start: datetime = LIVE
    broken_from: int | None = None
    broken_part: float = 1.0
    broken_at: str = ""
    """The origin whose rows are broken; empty for all."""
    seed: int = 7
    without: str = ""
    principal: str = ""
    """Who asks for the predictions; the ids of rows begin with it."""
    version: int = 1


@pytest.fixture
def days() -> type[Days]:
    """The record that says how days of traffic are made."""
    return Days


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with flights/1: baseline and schema, as the monitor reads them."""
    return write_bundle(tmp_path_factory.mktemp("bundle"))


def write_bundle(folder: Path) -> Path:
    """Write flights/1 into FOLDER/models, and give the folder."""
    extras = folder / "models" / "flights" / "1" / "assets.extra"
    table = table_of(Days(days=90, start=FIRST, seed=1))
    write_baseline(table, folder=extras / "baseline", spec=SPEC)
    write_schema(infer_schema(table.select(["temp", "origin", "label"]), label="label"), extras / "schema.pbtxt")
    return folder


@pytest.fixture
def deploy(tmp_path: Path, bundle: Path) -> Callable[[str], Path]:
    """Make a folder of that name with monitor.toml and a link to the bundle, which tests share, and no traffic yet."""

    def made(name: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "models").symlink_to(bundle / "models")
        (folder / "monitor.toml").write_text(CONFIG)
        return folder

    return made


@pytest.fixture
def deployed(deploy: Callable[[str], Path]) -> Path:
    """One such folder."""
    return deploy("deployed")


@pytest.fixture
def send() -> Callable[..., None]:
    """Write days of traffic and their labels into FOLDER/traffic; `labels=False` holds the labels back."""

    def written(folder: Path, days: Days, *, labels: bool = True, requests: bool = True) -> None:
        table = table_of(days)
        if requests:
            write_requests(folder, table, days)
        if labels:
            write_labels(folder, table)

    return written


def table_of(days: Days) -> pa.Table:
    """Rows with prediction_id, event_time, temp, origin, probabilities, label, label_time."""
    rng = np.random.default_rng(days.seed)
    count = days.days * ROWS_A_DAY
    day = np.repeat(np.arange(days.days), ROWS_A_DAY)
    weather = np.repeat(rng.normal(0.0, 0.4, days.days), ROWS_A_DAY)
    late = 1 / (1 + np.exp(-(rng.normal(-1.0, 1.0, count) + weather)))
    broken = late + days.broken_part * (1 - 2 * late)
    drawn = rng.random(count)
    start = as_microseconds(days.start)
    minute = np.tile(np.arange(ROWS_A_DAY), days.days)
    event = start + day * 86_400_000_000 + minute * 20 * 60_000_000
    known = event + 2 * 3_600_000_000
    missing = rng.random(count) < 0.03
    label_time = pa.array(known, mask=missing).cast(pa.timestamp("us", "UTC"))
    temp, origin = rng.normal(50.0, 10.0, count), rng.choice(["EWR", "JFK"], count).astype(object)
    is_broken = (day >= (days.days if days.broken_from is None else days.broken_from)) & (
        (origin == days.broken_at) | (not days.broken_at)
    )
    label = drawn < np.where(is_broken, broken, late)
    return pa.table(
        {
            "prediction_id": [
                f"{days.principal}{days.start:%Y%m%d}-{d}-{m}:0" for d, m in zip(day, minute, strict=True)
            ],
            "event_time": pa.array(event).cast(pa.timestamp("us", "UTC")),
            "temp": temp,
            "origin": origin,
            "probabilities": pa.array(list(np.stack([1 - late, late], axis=1)), pa.list_(pa.float64())),
            "label": pa.array(np.where(label, "late", "on_time").astype(object), pa.string(), mask=missing),
            "label_time": label_time,
        }
    )


def write_requests(folder: Path, table: pa.Table, days: Days) -> None:
    """Write rows of a day at a time into the traffic log FOLDER/traffic."""
    writer = TrafficWriter(folder / "traffic", clock=lambda: LATER)
    for first in range(0, table.num_rows, ROWS_A_DAY):
        rows = table.slice(first, ROWS_A_DAY)
        inputs = {
            "temp": np.asarray(rows["temp"], dtype=np.float32),
            "origin": np.array([word.encode() for word in rows["origin"].to_pylist()], dtype=object),
        }
        writer.append(
            AnsweredRows(
                model="flights",
                version=days.version,
                signature="serving_default",
                request_ids=[text.removesuffix(":0") for text in rows["prediction_id"].to_pylist()],
                rows=[0] * rows.num_rows,
                event_times_us=np.asarray(rows["event_time"].cast(pa.int64())),
                answered_at_us=0,
                latencies_us=np.zeros(rows.num_rows, dtype=np.int64),
                inputs={name: values for name, values in inputs.items() if name != days.without},
                outputs={"probabilities": np.array(rows["probabilities"].to_pylist(), dtype=np.float32)},
                principals=[days.principal] * rows.num_rows,
            )
        )
    writer.close()


def write_labels(folder: Path, table: pa.Table) -> None:
    """Write the labels of rows into the label log of FOLDER/traffic."""
    known = table.filter(table["label"].is_valid())
    writer = LabelWriter(folder / "traffic", clock=lambda: LATER)
    writer.append(
        known["prediction_id"].to_pylist(), known["label"].to_pylist(), np.asarray(known["label_time"].cast(pa.int64()))
    )
    writer.close()


class _NothingUnkept(logging.Handler):
    """Fails where a fit holds what files cannot: of each task that a test deploys."""

    def emit(self, record: logging.LogRecord) -> None:
        assert "not kept in files" not in record.getMessage()


@pytest.fixture(scope="module", autouse=True)
def every_fit_is_kept() -> Iterator[None]:
    """Every fit that a test makes can be kept in a file."""
    logger, handler = logging.getLogger("monitoring.fits.fit_folder"), _NothingUnkept()
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)
