from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from monitoring.documents.deployment import run_document
from monitoring.documents.window import window_document
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
    document = window_document(window, {}).plain()
    assert document["start"] == "2013-05-01T12:00:00Z"
    assert document["evidence"] == {"page": 0.0, "notice": math.exp(0.5), "losses": 0.0}
    assert run_document(RunRecord(started_at=NOON)).plain()["error"] is None
