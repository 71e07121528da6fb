"""A model of several outputs is judged from its log: each output by its own label, all under one budget."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.folder import write_baseline
from monitoring.baseline.schema import infer_schema, write_schema
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.config import load_config
from monitoring.records import IncidentRecord
from monitoring.runs.run import run_due_windows
from monitoring.sentences.incident_text import incident_text
from monitoring.store.store import Store
from monitoring.tasks.classification import Classification
from monitoring.tasks.regression import Regression
from monitoring.tasks.several import SeveralTasks
from monitoring.tasks.task import OutputTask, WatchedOutput
from monitoring.timestamps import as_microseconds
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.labels.label_writer import LabelWriter
from monitoring.traffic.log.writer import TrafficWriter
from tests.small_deployment import CONFIG, FIRST, LATER, LIVE

ROWS, KNOWN, SOUND, BROKEN = 60, 60, 6, 5
SPEC = BaselineSpec(
    classes=(),
    features=(FeatureSpec(name="x", kind="number"), FeatureSpec(name="output tone", kind="number")),
    other_task=SeveralTasks(
        outputs_judged=(
            OutputTask(output="late", task=Classification(classes=("0", "1")), numbers=1),
            OutputTask(output="price", task=Regression(), numbers=1),
        )
    ),
    other_outputs=(WatchedOutput(name="tone", width=1),),
)


def rows(first: datetime, days: int, seed: int) -> dict[str, np.ndarray]:
    """Calibrated probabilities, prices of which the labels differ by noise, and a third output."""
    rng, count = np.random.default_rng(seed), days * ROWS
    late, price = rng.uniform(0.05, 0.95, count), rng.normal(20.0, 4.0, count)
    return {
        "at": as_microseconds(first) + np.arange(count) * (86_400_000_000 // ROWS),
        "x": rng.normal(size=count),
        "late": late,
        "price": price,
        "tone": rng.normal(size=count),
        "was_late": (rng.random(count) < late).astype(np.int64),
        "paid": price + rng.normal(0.0, 1.0, count),
    }


def labels_of(some: dict[str, np.ndarray]) -> list[str]:
    pairs = zip(some["was_late"].tolist(), some["paid"].tolist(), strict=True)
    return [json.dumps({"late": late, "price": paid}) for late, paid in pairs]


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("several")
    extras = folder / "models" / "flights" / "1" / "assets.extra"
    known = rows(FIRST, KNOWN, 1)
    times = pa.array(known["at"]).cast(pa.timestamp("us", "UTC"))
    answers = np.stack([1 - known["late"], known["late"], known["price"]], axis=1)
    table = pa.table(
        {
            "prediction_id": [f"r{row}" for row in range(len(answers))],
            "event_time": times,
            "x": known["x"],
            "output tone": known["tone"],
            "probabilities": pa.array(list(answers), pa.list_(pa.float64())),
            "label": labels_of(known),
            "label_time": times,
        }
    )
    write_baseline(table, folder=extras / "baseline", spec=SPEC)
    write_schema(infer_schema(table.select(["x", "output tone"]), label=None), extras / "schema.pbtxt")
    (folder / "monitor.toml").write_text(CONFIG.replace('slices = ["origin"]\n', ""))
    return folder


def judged(folder: Path, live: dict[str, np.ndarray]) -> tuple[IncidentRecord, ...]:
    writer, count = TrafficWriter(folder / "traffic", clock=lambda: LATER), len(live["at"])
    writer.append(
        AnsweredRows(
            model="flights",
            version=1,
            signature="serving_default",
            request_ids=[f"q{row}" for row in range(count)],
            rows=[0] * count,
            event_times_us=live["at"],
            answered_at_us=0,
            latencies_us=np.zeros(count, dtype=np.int64),
            inputs={"x": live["x"].astype(np.float32)},
            outputs={name: live[name].astype(np.float32)[:, None] for name in ("late", "price", "tone")},
        )
    )
    writer.close()
    labels = LabelWriter(folder / "traffic", clock=lambda: LATER)
    labels.append([f"q{row}:0" for row in range(count)], labels_of(live), live["at"])
    labels.close()
    config = load_config(folder / "monitor.toml")
    with Store.open(config.store.url) as store:
        run_due_windows(config, store, clock=lambda: LATER)
        return store.incidents.read(1)


@pytest.mark.parametrize(
    ("harm", "level", "named"),
    [
        ("paid", "page", "error of price"),
        pytest.param("was_late", "page", "of late", marks=pytest.mark.slow),
        pytest.param("tone", "notice", "output tone", marks=pytest.mark.slow),
    ],
)
def test_the_output_at_fault_is_named(several: Path, tmp_path: Path, harm: str, level: str, named: str) -> None:
    (tmp_path / "models").symlink_to(several / "models")
    (tmp_path / "monitor.toml").write_text((several / "monitor.toml").read_text())
    live = rows(LIVE, SOUND + BROKEN, 2)
    broken = np.arange(len(live["at"])) >= SOUND * ROWS
    changed = {"paid": live["paid"] * 1.3, "was_late": 1 - live["was_late"], "tone": live["tone"] + 2.0}[harm]
    found = judged(tmp_path, live | {harm: np.where(broken, changed, live[harm])})
    first = next(one for one in found if one.level == level)
    assert named in incident_text(first).message
    assert (first.window_start - LIVE).days in range(SOUND, SOUND + BROKEN)
    assert any(one.level == "page" for one in found) == (level == "page")
