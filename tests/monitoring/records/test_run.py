from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from monitoring.records import RunRecord


def test_a_run_that_has_not_ended_has_no_length() -> None:
    run = RunRecord(started_at=datetime(2013, 4, 1, tzinfo=UTC))
    assert run.seconds is None
    assert replace(run, ended_at=run.started_at + timedelta(minutes=2)).seconds == 120.0
