from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from monitoring.documents.status import status_document
from monitoring.records import (
    CauseDetail,
    CauseRow,
    ColumnNote,
    Condition,
    EstimateRecord,
    InputDrift,
    IntervalChecks,
    LossSplit,
    MeasuredMetric,
    MonitorStatus,
    SlicePart,
    Subgroup,
)
from monitoring.records.incident_order import by_cause


def test_document_has_the_shape_that_the_command_line_promises(status: MonitorStatus) -> None:
    document = status_document(status).plain()
    assert {"model", "version", "windows", "incidents", "sensitivity", "coverage"} <= document.keys()
    assert (document["model"], document["version"], len(document["windows"])) == ("flights", 1, 275)
    window = document["windows"][22]
    assert {"start", "end", "rows", "labels", "status", "evidence"} <= window.keys()
    assert (window["start"], window["end"]) == ("2013-04-23T00:00:00Z", "2013-04-24T00:00:00Z")
    assert (window["rows"], window["labels"], window["status"]) == (920, 880, "page")
    assert math.isclose(window["evidence"]["page"], 450.0)
    assert {entry["status"] for entry in document["windows"]} == {"ok", "notice", "page", "thin"}
    assert [incident["number"] for incident in document["incidents"]] == [
        one.number for one in by_cause(status.incidents)
    ]
    incident = next(incident for incident in document["incidents"] if incident["number"] == 1)
    assert {"number", "level", "opened_at", "window", "watch", "slice", "cause", "message", "state"} <= incident.keys()
    assert (incident["number"], incident["level"], incident["opened_at"]) == (1, "page", "2013-04-24T06:00:00Z")
    assert incident["window"] == {"start": window["start"], "end": window["end"]}
    assert document["incidents"][0]["closed_at"] is None
    assert document["budget"]["page"] == {"text": "1 per 365 windows", "threshold": 365.0}
    assert document["sensitivity"][-1] == {"metric": "error", "slice": "", "windows": 90, "rise": None}
    assert document["coverage"]["labels_due"] == 275 * 905
    assert [(group["kind"], group["windows"]) for group in document["findings"]] == [
        ("column missing", 1),
        ("unexpected values", 12),
    ]


def test_evidence_that_was_never_seen_is_zero(status: MonitorStatus) -> None:
    assert status_document(status).plain()["windows"][0]["evidence"] == {"page": 0.0, "notice": 0.0, "losses": 0.0}


@given(page=st.floats(), notice=st.floats())
def test_every_number_is_finite_and_every_encoder_takes_it(
    status_of: Callable[..., MonitorStatus], page: float, notice: float
) -> None:
    status = status_of(windows=1, incidents=False)
    window = replace(status.windows[0], page_log_evidence=page, notice_log_evidence=notice)
    document = status_document(replace(status, windows=(window,))).plain()
    again = json.loads(json.dumps(document, allow_nan=False))
    assert again == document
    assert all(value >= 0.0 for value in again["windows"][0]["evidence"].values())


def test_metrics_of_a_window_stand_beside_the_benchmark(status: MonitorStatus) -> None:
    auc = MeasuredMetric(metric="auc", rows=9, value=0.7, low=0.6, high=0.8)
    windows = (replace(status.windows[0], measured=(auc,)), *status.windows[1:])
    document = status_document(replace(status, windows=windows, measured=(replace(auc, value=0.75),))).plain()
    assert document["windows"][0]["metrics"] == [
        {"metric": "auc", "rows": 9, "value": 0.7, "low": 0.6, "high": 0.8, "benchmark": 0.75}
    ]
    assert document["windows"][1]["metrics"] == []
    assert document["benchmark"][0]["value"] == 0.75


def test_units_and_descriptions_of_columns_are_in_it(status: MonitorStatus) -> None:
    noted = replace(status, columns={"temp": ColumnNote(unit="°F", description="air temperature")})
    assert status_document(noted).plain()["columns"] == {"temp": {"unit": "°F", "description": "air temperature"}}
    assert status_document(status).plain()["columns"] == {}


def full(status: MonitorStatus) -> MonitorStatus:
    """A state in which every optional part has a value."""
    detail = CauseDetail(
        split=LossSplit(metric="brier", difficulty=0.1, surprise=0.2),
        parts=(SlicePart(metric="brier", column="origin", slice="origin=EWR", mix=0.1, loss=0.2),),
        inputs=(InputDrift(input="temp", log_evidence=4.0, explained=0.5, change=2.5),),
        rows=(CauseRow(prediction_id="a:0", event_time=datetime(2013, 4, 1, tzinfo=UTC), score=0.5),),
        subgroup=Subgroup(
            conditions=(
                Condition(input="temp", sign="≥", value=60.0),
                Condition(input="origin", sign="=", value="EWR"),
            ),
            rows=120,
            rise=0.25,
            others=0.01,
            error=0.05,
            p_value=0.0004,
            watch="surprise_error",
        ),
    )
    estimate = EstimateRecord(
        method="weighted",
        metric="error",
        rows=10,
        value=0.2,
        low=0.1,
        high=0.3,
        checked=0,
        expected=None,
        half=None,
        realised=None,
        trusted=True,
        interval_checks=IntervalChecks(),
        confusion=((0.5, 0.1), (0.1, 0.3)),
        effective=300.0,
    )
    return replace(
        status,
        windows=tuple(replace(window, estimates=(estimate,)) for window in status.windows),
        incidents=(replace(status.incidents[0], detail=detail), *status.incidents[1:]),
        baseline=tuple(replace(score, cycle="week", gain=1.5) for score in status.baseline),
    )


def test_every_part_is_filled_where_the_state_has_it(status: MonitorStatus) -> None:
    document = status_document(full(status)).plain()
    incident = next(incident for incident in document["incidents"] if incident["number"] == 1)
    assert incident["split"] is not None
    assert incident["decomposition"][0]["parts"]
    assert incident["inputs"][0]["input"] == "temp"
    assert incident["rows"][0]["event_time"] == "2013-04-01T00:00:00Z"
    assert document["windows"][0]["estimates"][0]["confusion"] == [[0.5, 0.1], [0.1, 0.3]]
    assert document["cycles"]
    assert document["trust"]
