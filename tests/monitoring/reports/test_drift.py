from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.errors import BadInput
from monitoring.reports import DriftSubject, DriftSummary, WatchVerdict, write_drift_report
from monitoring.reports.drift_sample import plain
from monitoring.tasks.regression import Regression
from tests.monitoring.reports.drift_rows import HOSTILE, SPEC, rows


@dataclass(frozen=True)
class Written:
    summary: DriftSummary
    page: str
    document: dict[str, Any]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("drift") / "reports"
    summary = write_drift_report(
        rows(900, 1, shift=1.0, carriers=["UA", "B6", HOSTILE]),
        rows(700, 2, shift=0.0, carriers=["UA", "B6"]).append_column("gone", pa.array(np.arange(700.0))),
        spec=SPEC,
        paths=(folder / "drift.html", folder / "drift.json"),
        rng=np.random.default_rng(3),
        subject=DriftSubject(
            title=f"A window {HOSTILE}",
            verdicts=(
                WatchVerdict(name=f"Brier score {HOSTILE}", evidence=float("inf"), threshold=365.0),
                WatchVerdict(name="Error rate", evidence=12.5, threshold=365.0),
                WatchVerdict(name="Error rate at origin = EWR", evidence=4000.0),
            ),
        ),
    )
    text = (folder / "drift.json").read_text(encoding="utf-8")
    return Written(summary, (folder / "drift.html").read_text(encoding="utf-8"), json.loads(text))


@pytest.mark.slow
def test_drifted_columns_come_with_their_scores(written: Written) -> None:
    scores = {column.column: column for column in written.summary.columns}
    assert scores.keys() == {"temp", "visib", "label", "carrier", "predicted class", "probability of late"}
    assert (scores["temp"].method, scores["carrier"].method) == ("wasserstein", "jensenshannon")
    assert 0.8 < scores["temp"].score < 1.2
    assert scores["visib"].score < 0.1
    assert [column.column for column in written.summary.drifted] == ["temp", "carrier"]
    assert (written.summary.current_rows, written.summary.reference_rows) == (900, 700)


def test_columns_that_cannot_be_compared_are_listed_with_why(written: Written) -> None:
    assert dict(written.summary.left_out) == {
        "gone": "absent in the current rows",
        "empty": "no value in the current rows",
        "steady": "the same value everywhere",
        "blank": "no value in the current rows",
    }
    assert [entry["column"] for entry in written.document["left_out"]] == ["gone", "empty", "steady", "blank"]
    assert "the same value everywhere" in written.page


def test_quality_is_compared_where_both_sides_have_labels(written: Written) -> None:
    assert written.summary.quality
    values = {metric["config"]["type"].rpartition(":")[2]: metric["value"] for metric in written.document["metrics"]}
    assert 0.6 < values["Accuracy"] < 0.9
    assert 0.7 < values["RocAuc"] < 0.95
    assert values["LogLoss"] < 0.7


def test_a_class_that_no_row_was_given_brings_no_warning(tmp_path: Path) -> None:
    window = rows(300, 4, shift=0.0, carriers=["UA"])
    answers = pa.array([[0.9, 0.1]] * 300, window.schema.field("probabilities").type)
    place = window.column_names.index("probabilities")
    summary = write_drift_report(
        window.set_column(place, "probabilities", answers),
        rows(300, 5, shift=0.0, carriers=["UA"]),
        spec=SPEC,
        paths=(tmp_path / "drift.html", tmp_path / "drift.json"),
        rng=np.random.default_rng(0),
    )
    assert summary.quality


def test_verdicts_of_the_monitor_stand_beside_with_tests(written: Written) -> None:
    metrics = {m["config"].get("watch"): m for m in written.document["metrics"] if "watch" in m["config"]}
    alone = metrics.pop("Error rate at origin = EWR")  # of a watch alone, which alarms nothing
    assert alone["value"] == 4000.0
    assert "Error rate at origin = EWR: evidence of this watch alone" in written.page
    assert metrics.keys() == {f"Brier score {plain(HOSTILE)}", "Error rate"}
    error = metrics["Error rate"]
    assert error["value"] == 12.5
    assert "12.5" not in json.dumps(error["config"])  # a value is no part of a metric's identity
    statuses = {
        test["metric_config"]["metric_id"]: test["status"]
        for test in written.document["tests"]
        if "watch" in test["metric_config"]["params"]
    }
    assert statuses == {metric["id"]: "SUCCESS" if name == "Error rate" else "FAIL" for name, metric in metrics.items()}
    assert "Error rate: evidence (threshold 365)" in written.page
    assert "900 rows against 700 rows of the baseline. Effect sizes are descriptive" in written.page
    assert written.document["rows"]["reference"] == {"compared": 700, "all": 700}


def test_text_from_traffic_stays_text(written: Written) -> None:
    assert "broken out" in written.page
    assert HOSTILE not in written.page
    assert "<script>document.title" not in written.page


def test_page_may_ask_no_host(written: Written) -> None:
    assert re.search(
        r"<head>\s*<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';", written.page
    )
    assert not re.search(r"<(?:script|link|img|iframe)[^>]*\s(?:src|href)=[\"']?(?:https?:)?//", written.page)


def test_without_labels_and_with_nothing_to_compare(written: Written, tmp_path: Path) -> None:
    spec = BaselineSpec(classes=("a", "b", "c"), features=(FeatureSpec(name="steady", kind="number"),))
    moments = pa.array([datetime(2013, 4, 23, tzinfo=UTC)] * 4, pa.timestamp("us", tz="UTC"))
    table = pa.table({"event_time": moments, "steady": [1.0] * 4, "probabilities": [[0.2, 0.3, 0.5]] * 4})
    summary = write_drift_report(
        table,
        table,
        spec=spec,
        paths=(tmp_path / "drift.html", tmp_path / "drift.json"),
        rng=np.random.default_rng(0),
        subject=DriftSubject(verdicts=(WatchVerdict(name="Error rate", evidence=1.0, threshold=365.0),)),
    )
    assert summary.columns == ()
    assert not summary.quality
    assert dict(summary.left_out).keys() == {"steady", "predicted class"}
    assert (tmp_path / "drift.html").stat().st_size > 1_000_000


def test_an_empty_side_is_bad_input(tmp_path: Path) -> None:
    table = rows(5, 1, shift=0.0, carriers=["UA"])
    with pytest.raises(BadInput, match="no current rows"):
        write_drift_report(
            table.slice(0, 0),
            table,
            spec=SPEC,
            paths=(tmp_path / "a.html", tmp_path / "a.json"),
            rng=np.random.default_rng(0),
        )


def test_predicted_numbers_come_with_their_mean_errors(written: Written, tmp_path: Path) -> None:
    spec = BaselineSpec(classes=(), features=(FeatureSpec(name="temp", kind="number"),), other_task=Regression())

    def side(bias: float) -> pa.Table:
        answers = np.arange(40.0)
        return pa.table(
            {
                "event_time": pa.array([datetime(2013, 4, 23, tzinfo=UTC)] * 40, pa.timestamp("us", tz="UTC")),
                "temp": answers,
                "probabilities": answers[:, None].tolist(),
                "label": [None, *map(str, answers[1:] + bias)],
            }
        )

    paths = (tmp_path / "drift.html", tmp_path / "drift.json")
    summary = write_drift_report(side(-3.0), side(1.0), spec=spec, paths=paths, rng=np.random.default_rng(0))
    assert summary.quality
    assert {column.column for column in summary.columns} == {"temp", "predicted number"}
    values = [metric["value"] for metric in json.loads(paths[1].read_text("utf-8"))["metrics"]]
    assert any(isinstance(value, dict) and value.get("mean", {}) == pytest.approx(3.0) for value in values), values
