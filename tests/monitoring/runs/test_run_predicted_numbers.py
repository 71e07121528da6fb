"""A bundle whose model predicts a number: its log is judged by that number, and labels of another unit page."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.folder import load_baseline, write_baseline
from monitoring.baseline.schema import infer_schema, write_schema
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.config import load_config
from monitoring.inspection.status import status
from monitoring.onboarding.config_file import write_config
from monitoring.records import MonitorStatus
from monitoring.runs.run import run_due_windows
from monitoring.sentences.incident_text import incident_text
from monitoring.store.store import Store
from monitoring.tasks.regression import Regression
from monitoring.timestamps import as_microseconds
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.labels.label_writer import LabelWriter
from monitoring.traffic.log.writer import TrafficWriter

LATER = datetime(2014, 1, 1, tzinfo=UTC)
ROWS = 60
SPEC = BaselineSpec(
    classes=(), features=(FeatureSpec(name="distance", kind="number"),), other_task=Regression(), output="minutes"
)


def flights(start: str, days: int, seed: int) -> pa.Table:
    """`ROWS` flights a day, whose minutes in the air are predicted from the distance."""
    rng = np.random.default_rng(seed)
    count = days * ROWS
    distance = rng.uniform(200.0, 2500.0, count)
    answer = 20.0 + 0.12 * distance
    event = as_microseconds(datetime.fromisoformat(f"{start}T00:00+00:00")) + np.arange(count) * (
        86_400_000_000 // ROWS
    )
    moments = pa.array(event).cast(pa.timestamp("us", "UTC"))
    return pa.table(
        {
            "prediction_id": [f"{start}-{row}:0" for row in range(count)],
            "event_time": moments,
            "distance": distance,
            "probabilities": pa.array(answer[:, None].tolist(), pa.list_(pa.float64())),
            "label": pa.array(answer + rng.normal(0.0, 10.0, count)).cast(pa.string()),
            "label_time": moments,
        }
    )


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle") / "models"
    extras = folder / "flights" / "1" / "assets.extra"
    table = flights("2013-01-01", 40, 1)
    write_baseline(table, folder=extras / "baseline", spec=SPEC)
    write_schema(infer_schema(table.select(["distance"]), label=None), extras / "schema.pbtxt")
    return folder


def judged(models: Path, folder: Path, *, unit: float = 1.0) -> MonitorStatus:
    """Ten days of traffic as a server logs it, [n, 1] float32, with labels in this unit from the sixth day on."""
    (folder / "models").symlink_to(models)
    table = flights("2013-04-01", 10, 2)
    answers = np.array(table["probabilities"].to_pylist(), dtype=np.float32)
    rows = TrafficWriter(folder / "traffic", clock=lambda: LATER)
    rows.append(
        AnsweredRows(
            model="flights",
            version=1,
            signature="serving_default",
            request_ids=[name.removesuffix(":0") for name in table["prediction_id"].to_pylist()],
            rows=[0] * table.num_rows,
            event_times_us=np.asarray(table["event_time"].cast(pa.int64())),
            answered_at_us=0,
            latencies_us=np.zeros(table.num_rows, dtype=np.int64),
            inputs={"distance": np.asarray(table["distance"], dtype=np.float32)},
            outputs={"minutes": answers, "other": answers * 7.0},
        )
    )
    rows.close()
    labels = LabelWriter(folder / "traffic", clock=lambda: LATER)
    truth = np.asarray(table["label"].cast(pa.float64())) * np.where(np.arange(table.num_rows) < 5 * ROWS, 1.0, unit)
    labels.append(
        table["prediction_id"].to_pylist(),
        [repr(value) for value in truth.tolist()],
        np.asarray(table["label_time"].cast(pa.int64())),
    )
    labels.close()
    path = write_config(
        {"model": {"bundle": "models/flights"}, "traffic": {"path": "traffic"}, "windows": {"min_rows": 20}}, folder
    ).config
    config = load_config(path)
    with Store.open(config.store.url) as store:
        run = run_due_windows(config, store, clock=lambda: LATER)
        return status(store, config.name, run.deployment)


def test_the_baseline_says_which_output_holds_the_number(models: Path) -> None:
    spec = load_baseline(models / "flights/1/assets.extra/baseline").spec
    assert (spec.output, spec.classes, spec.task.metrics) == (
        "minutes",
        (),
        ("absolute_error", "squared_error", "percentage_error"),
    )


def test_traffic_as_before_is_judged_in_the_unit_of_the_number_and_pages_nothing(models: Path, tmp_path: Path) -> None:
    found = judged(models, tmp_path)
    assert [incident for incident in found.incidents if incident.level == "page"] == []
    scores = {score.watch: score.value for score in found.windows[-1].scores if not score.slice}
    assert scores["absolute_error"] == pytest.approx(8.0, abs=2.5)
    assert scores["bias"] == pytest.approx(0.0, abs=4.0)
    assert {"squared_error", "surprise_absolute_error", "estimated_absolute_error"} <= scores.keys()
    rises = {(entry.metric, entry.windows): entry.rise for entry in found.sensitivity}
    assert 0.1 < (rises["absolute_error", 90] or 0.0) < 1.0 < (rises["absolute_error", 7] or 0.0) < 16.0, "minutes"


def test_labels_in_seconds_page_on_their_day(models: Path, tmp_path: Path) -> None:
    found = judged(models, tmp_path, unit=60.0)
    first = next(incident for incident in found.incidents if incident.level == "page")
    assert datetime(2013, 4, 6, tzinfo=UTC) <= first.window_start <= datetime(2013, 4, 7, tzinfo=UTC)
    assert incident_text(first).cause == "labels contradict answers"
    assert "check the units of labels and answers" in incident_text(first).message
    assert "calibration" not in incident_text(first).message.partition("Next step")[0]
