"""A bundle of which no loss is known: inputs and outputs of its log are watched, and it is said that no loss is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.folder import load_baseline, write_baseline
from monitoring.baseline.output_numbers import output_numbers
from monitoring.baseline.schema import infer_schema, write_schema
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.config import load_config
from monitoring.deployment.deployment import deploy
from monitoring.errors import BadInput
from monitoring.inspection.report import plain_table
from monitoring.inspection.status import status
from monitoring.onboarding.config_file import NO_LOSS, write_config
from monitoring.records import MonitorStatus
from monitoring.reports.drift_sample import drift_sample
from monitoring.reports.sections.headline import headline
from monitoring.runs.run import run_due_windows
from monitoring.sentences.incident_text import incident_text
from monitoring.sources.traffic import open_traffic
from monitoring.store.store import Store
from monitoring.tasks.outputs_only import OutputsOnly
from monitoring.tasks.task import WatchedOutput
from monitoring.timestamps import as_microseconds
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.log.writer import TrafficWriter

LATER = datetime(2014, 1, 1, tzinfo=UTC)
ROWS = 60
TASK = OutputsOnly(watched=(WatchedOutput(name="tags", width=2), WatchedOutput(name="steps", width=None)))
SPEC = BaselineSpec(classes=(), features=(FeatureSpec(name="age", kind="number"),), other_task=TASK)


def rows(start: str, count: int, seed: int) -> tuple[dict[str, np.ndarray], list[list[float]], np.ndarray]:
    """Inputs and outputs of so many days: the age, tags of it, and steps of any number; and event times."""
    rng = np.random.default_rng(seed)
    age = rng.uniform(20.0, 80.0, count * ROWS)
    tags = np.stack([1 / (1 + np.exp(-(age - 50) / 10)), rng.random(age.size)], axis=1)
    steps = [rng.normal(size=length).tolist() for length in rng.integers(1, 6, age.size)]
    first = as_microseconds(datetime.fromisoformat(f"{start}T00:00+00:00"))
    return {"age": age, "tags": tags}, steps, first + np.arange(age.size) * (86_400_000_000 // ROWS)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle") / "models"
    extras = folder / "people" / "1" / "assets.extra"
    values, steps, times = rows("2013-01-01", 40, 1)
    outputs = {"tags": pa.chunked_array([values["tags"].tolist()]), "steps": pa.chunked_array([steps])}
    moments = pa.array(times).cast(pa.timestamp("us", "UTC"))
    table = pa.table(
        {
            "prediction_id": [f"r{row}:0" for row in range(len(times))],
            "event_time": moments,
            "age": values["age"],
            "probabilities": pa.array(output_numbers(outputs, TASK).tolist(), pa.list_(pa.float64())),
            "label": pa.nulls(len(times), pa.string()),
            "label_time": pa.nulls(len(times), moments.type),
        }
    )
    write_baseline(table, folder=extras / "baseline", spec=SPEC)
    write_schema(infer_schema(table.select(["age"]), label=None), extras / "schema.pbtxt")
    return folder


def judged(models: Path, folder: Path, *, shift: float = 0.0) -> MonitorStatus:
    """Ten days of a log, whose second tag has moved by `shift` from the third day on."""
    (folder / "models").symlink_to(models)
    values, steps, times = rows("2013-04-01", 10, 2)
    log = TrafficWriter(folder / "traffic", clock=lambda: LATER)
    moved = values["tags"] + np.where(np.arange(len(times)) >= 2 * ROWS, shift, 0.0)[:, None] * np.array([0.0, 1.0])
    for length in range(1, 6):  # a batch holds rows of one size
        mine = np.array([row for row, step in enumerate(steps) if len(step) == length])
        log.append(
            AnsweredRows(
                model="people",
                version=1,
                signature="serving_default",
                request_ids=[f"live-{row}" for row in mine],
                rows=[0] * len(mine),
                event_times_us=times[mine],
                answered_at_us=0,
                latencies_us=np.zeros(len(mine), dtype=np.int64),
                inputs={"age": values["age"][mine].astype(np.float32)},
                outputs={
                    "tags": moved[mine].astype(np.float32),
                    "steps": np.array([steps[row] for row in mine], dtype=np.float32),
                },
            )
        )
    log.close()
    written = write_config(
        {"model": {"bundle": "models/people"}, "traffic": {"path": "traffic"}, "windows": {"min_rows": 20}}, folder
    )
    assert written.notes[0] == NO_LOSS
    config = load_config(written.config)
    with Store.open(config.store.url) as store:
        run = run_due_windows(config, store, clock=lambda: LATER)
        return status(store, config.name, run.deployment)


def test_outputs_as_before_are_quiet_and_it_is_said_that_no_loss_is_watched(models: Path, tmp_path: Path) -> None:
    found = judged(models, tmp_path)
    assert [incident.level for incident in found.incidents] == []
    assert headline(found).verdict.startswith("Healthy by inputs and predictions alone (no loss is watched)")
    watches = {score.watch for score in found.windows[-1].scores}
    assert {"prediction:tags[1]:location", "prediction:steps length:spread", "input:age:location"} <= watches


def test_an_output_that_moves_is_a_notice_that_names_it(models: Path, tmp_path: Path) -> None:
    found = judged(models, tmp_path, shift=0.5)
    causes = [incident_text(incident).cause for incident in found.incidents]
    assert any("of output tags[1]" in cause for cause in causes), causes
    assert {incident.level for incident in found.incidents} == {"notice"}


def test_the_drift_report_has_a_column_for_each_number(models: Path) -> None:
    baseline = load_baseline(models / "people/1/assets.extra/baseline")
    table = plain_table(baseline.reference, baseline)
    found = drift_sample(table, table, spec=baseline.spec, rows=100, rng=np.random.default_rng(0))
    assert found.numbers[:3] == ("age", "output tags[0]", "output tags[1]")
    assert not found.quality


def test_a_table_has_no_columns_for_it(models: Path, tmp_path: Path) -> None:
    (tmp_path / "models").symlink_to(models)
    (tmp_path / "live.csv").write_text("age\n30\n", "utf-8")
    draft = {"model": {"bundle": "models/people"}, "traffic": {"path": "live.csv"}, "windows": {"min_rows": 20}}
    config = load_config(write_config(draft, tmp_path).config)
    with pytest.raises(BadInput, match="monitored from its traffic log"):
        open_traffic(config, deploy(config).baseline, 1, clock=lambda: LATER)
