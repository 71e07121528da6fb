"""The documents of the HTTP API."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from monitoring.dashboard.api.resources import error_resource, run_resource, window_resource
from monitoring.errors import BadInput
from monitoring.records import RunRecord, WindowRecord

NOON = datetime(2013, 5, 1, 12, tzinfo=UTC)


def test_numbers_are_finite_and_times_are_in_utc() -> None:
    window = WindowRecord(
        start=NOON,
        end=NOON + timedelta(hours=1),
        rows=1,
        labels=0,
        labels_due=1,
        labels_unknown=0,
        repeats=0,
        status="ok",
        page_log_evidence=-math.inf,
        notice_log_evidence=0.5,
    )
    document = window_resource(window)
    assert (document.start, math.isfinite(document.page_log_evidence)) == ("2013-05-01T12:00:00Z", True)
    assert run_resource(RunRecord(started_at=NOON)).ended_at is None


def test_an_error_keeps_its_parts() -> None:
    error = error_resource(BadInput("No.", got="a", expected="b", fix="Do."))
    assert error.model_dump() == {"what": "No.", "got": "a", "expected": "b", "fix": "Do."}
