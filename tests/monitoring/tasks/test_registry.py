"""A kind of model that the library does not have is one class: no room but tasks knows which there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from monitoring.baseline.folder import load_baseline, write_baseline
from monitoring.baseline.schema import infer_schema, write_schema
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.config import load_config
from monitoring.documents.status import StatusDocument, status_document
from monitoring.inspection.outcomes import read_outcomes
from monitoring.inspection.report import write_reports
from monitoring.inspection.status import status
from monitoring.onboarding.config_file import write_config
from monitoring.records import MonitorStatus, Watch
from monitoring.runs.run import run_due_windows
from monitoring.sentences.incident_text import incident_text
from monitoring.store.store import Store
from monitoring.tasks import metrics, registry
from monitoring.tasks.number_codes import number_codes
from monitoring.tasks.row_operations import baseline_ranks
from monitoring.tasks.task import NO_LABEL, Floats, Metric, Task, Whole, watches_of_losses
from monitoring.timestamps import as_microseconds
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.labels.label_writer import LabelWriter
from monitoring.traffic.log.writer import TrafficWriter

LATER = datetime(2014, 1, 1, tzinfo=UTC)
ROWS = 60
DEVIANCE = "poisson_deviance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts(Task):
    """A model that predicts the rate of a count, judged by the deviance of a Poisson distribution up to a bound.

    Attributes:
        bound: The largest deviance that is told apart from larger ones.
        knots: Quantiles of the baseline's rates.
    """

    bound: float = 1.0
    knots: tuple[float, ...] = ()
    classes: tuple[str, ...] = ()
    width: int = 1
    metrics: tuple[str, ...] = (DEVIANCE,)
    number_names: tuple[str, ...] = ("",)

    def fitted(self, answers: Floats, labels: Whole) -> Counts:
        usable = np.isfinite(answers[:, 0]) & (labels != NO_LABEL)
        worst = np.quantile(self._deviance(answers[usable, 0], self.read_labels(labels[usable])), 0.99)
        knots = np.quantile(answers[usable, 0], np.linspace(0, 1, 101)[1:-1])
        return replace(self, bound=3.0 * float(worst), knots=tuple(knots.tolist()))

    def document(self) -> dict[str, Any]:
        return {"bound": self.bound, "knots": list(self.knots)}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Counts:
        return cls(bound=document["bound"], knots=tuple(document["knots"]))

    @property
    def scales(self) -> dict[str, float]:
        return {DEVIANCE: self.bound}

    @property
    def loss_watches(self) -> tuple[Watch, ...]:
        return watches_of_losses(self.scales)

    @property
    def output_watches(self) -> tuple[Watch, ...]:
        names = ("prediction:location", "prediction:spread")
        return tuple(
            Watch(name=name, family="outputs", level="notice", needs_label=False, direction="both") for name in names
        )

    def label_codes(self, words: pa.ChunkedArray) -> Whole:
        return number_codes(words)

    def respelled(self, words: pa.ChunkedArray) -> NDArray[np.bool_]:
        return np.zeros(len(words), dtype=np.bool_)

    def unknown(self, labels: Whole) -> NDArray[np.bool_]:
        return np.zeros(len(labels), dtype=np.bool_)

    def read_answers(self, answers: Floats) -> NDArray[Any]:
        return answers[:, 0]

    def read_labels(self, labels: Whole) -> NDArray[Any]:
        return np.ascontiguousarray(labels).view(np.float64)

    def losses(self, answers: Floats, labels: Whole) -> dict[str, Floats]:
        deviance = self._deviance(answers[:, 0], self.read_labels(labels))
        return {DEVIANCE: np.minimum(deviance / self.bound, 1.0)}

    def expected_losses(self, answers: Floats, outputs: Mapping[str, Floats]) -> dict[str, Floats]:
        return {}

    def outputs(self, answers: Floats) -> dict[str, Floats]:
        ranks = self.score(answers)
        return {"prediction:location": ranks, "prediction:spread": np.abs(2.0 * ranks - 1.0)}

    def score(self, answers: Floats, outputs: Mapping[str, Floats] | None = None) -> Floats:
        return baseline_ranks(answers[:, 0], self.knots)

    @staticmethod
    def _deviance(rates: Floats, counts: Floats) -> Floats:
        rates = np.maximum(rates, 1e-6)
        logs = np.where(counts > 0.0, counts * np.log(np.maximum(counts, 1.0) / rates), 0.0)
        return np.asarray(2.0 * (logs - counts + rates))


def calls(start: str, days: int, seed: int, *, grown_from: int | None = None) -> pa.Table:
    """`ROWS` hours a day of a call centre, whose calls are predicted from the staff; later three times as many."""
    rng = np.random.default_rng(seed)
    staff = rng.uniform(2.0, 20.0, days * ROWS)
    factor = np.where(np.arange(staff.size) >= (days if grown_from is None else grown_from) * ROWS, 3.0, 1.0)
    first = as_microseconds(datetime.fromisoformat(f"{start}T00:00+00:00"))
    moments = pa.array(first + np.arange(staff.size) * (86_400_000_000 // ROWS)).cast(pa.timestamp("us", "UTC"))
    return pa.table(
        {
            "prediction_id": [f"{start}-{row}:0" for row in range(staff.size)],
            "event_time": moments,
            "staff": staff,
            "probabilities": pa.array((0.5 * staff)[:, None].tolist(), pa.list_(pa.float64())),
            "label": pa.array(rng.poisson(0.5 * staff * factor)).cast(pa.string()),
            "label_time": moments,
        }
    )


@pytest.fixture
def judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MonitorStatus:
    """Ten days of a log, with three times as many calls from the sixth day on."""
    kind: type[Task] = Counts
    monkeypatch.setitem(registry.TASKS, kind, ("counts", Counts.of))
    monkeypatch.setitem(metrics.METRICS, DEVIANCE, Metric(name=DEVIANCE, title="Poisson deviance", unit="score"))
    extras = tmp_path / "models/calls/1/assets.extra"
    features = (FeatureSpec(name="staff", kind="number"),)
    table = calls("2013-01-01", 40, 1)
    spec = BaselineSpec(classes=(), features=features, other_task=Counts(), output="rate")
    write_baseline(table, folder=extras / "baseline", spec=spec)
    write_schema(infer_schema(table.select(["staff"]), label=None), extras / "schema.pbtxt")
    live = calls("2013-04-01", 10, 2, grown_from=5)
    rows = TrafficWriter(tmp_path / "traffic", clock=lambda: LATER)
    rows.append(
        AnsweredRows(
            model="calls",
            version=1,
            signature="serving_default",
            request_ids=[name.removesuffix(":0") for name in live["prediction_id"].to_pylist()],
            rows=[0] * live.num_rows,
            event_times_us=np.asarray(live["event_time"].cast(pa.int64())),
            answered_at_us=0,
            latencies_us=np.zeros(live.num_rows, dtype=np.int64),
            inputs={"staff": np.asarray(live["staff"], dtype=np.float32)},
            outputs={"rate": np.array(live["probabilities"].to_pylist(), dtype=np.float32)},
        )
    )
    rows.close()
    labels = LabelWriter(tmp_path / "traffic", clock=lambda: LATER)
    times = np.asarray(live["label_time"].cast(pa.int64()))
    labels.append(live["prediction_id"].to_pylist(), live["label"].to_pylist(), times)
    labels.close()
    path = write_config(
        {"model": {"bundle": "models/calls"}, "traffic": {"path": "traffic"}, "windows": {"min_rows": 20}}, tmp_path
    ).config
    config = load_config(path)
    with Store.open(config.store.url) as store:
        run = run_due_windows(config, store, clock=lambda: LATER)
        write_reports(config, store, out=tmp_path / "report", deployment=run.deployment, drift=False)
        return status(store, config.name, run.deployment)


def test_a_seventh_task_is_fitted_judged_reported_and_documented(judged: MonitorStatus, tmp_path: Path) -> None:
    task = load_baseline(tmp_path / "models/calls/1/assets.extra/baseline").spec.task
    assert isinstance(task, Counts)
    assert task.bound > 3.0
    first = next(incident for incident in judged.incidents if incident.level == "page")
    assert datetime(2013, 4, 6, tzinfo=UTC) <= first.window_start <= datetime(2013, 4, 7, tzinfo=UTC)
    assert incident_text(first).cause == "losses far outside the baseline"
    watches = {score.watch for score in judged.windows[-1].scores}
    assert {DEVIANCE, f"surprise_{DEVIANCE}", f"estimated_{DEVIANCE}", "label:location"} <= watches
    document = StatusDocument.model_validate_json(status_document(judged).model_dump_json())
    assert document.incidents[0].level == "page"
    assert "Poisson deviance" in document.incidents[0].message
    assert "Poisson deviance" in (tmp_path / "report/report.html").read_text(encoding="utf-8")
    config = load_config(tmp_path / "monitor.toml")
    outcomes = read_outcomes(config, 1, judged.windows, ("",), lambda: LATER)
    assert (len(outcomes), len(outcomes[0].live)) == (1, 10 * ROWS)
