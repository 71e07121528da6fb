from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from monitoring.dashboard.deployment.drift import DriftJob, DriftWriter, write
from monitoring.errors import CannotRun
from tests.dashboard_store import NOW, described_stores

JOB = DriftJob(config=Path("monitor.toml"), out=Path("report"), deployment=1, start=NOW)


def refuse(job: DriftJob) -> str:
    return f"No report of {job.deployment}."


def crash(_job: DriftJob) -> str:
    os._exit(3)


def last_word(writer: DriftWriter, job: DriftJob) -> str:
    writer.begin(job)
    while writer.is_writing(job):
        time.sleep(0.05)
    return writer.problem(job)


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    described_stores(tmp_path)
    job = replace(JOB, config=tmp_path / "monitor.toml", out=tmp_path / "report")
    assert write(job).startswith("There is no drift report of this window.")
    assert "no-config.toml" in write(replace(job, config=tmp_path / "no-config.toml"))
    assert not (tmp_path / "report").exists()


@pytest.mark.slow
def test_reports_are_written_one_after_the_other_beside_the_dashboard() -> None:
    writer = DriftWriter(refuse)
    writer.begin(JOB)
    writer.begin(JOB)
    with pytest.raises(CannotRun, match="Another drift report is being written"):
        writer.begin(replace(JOB, deployment=2))
    assert writer.problem(JOB) == ""
    while writer.is_writing(JOB):
        time.sleep(0.05)
    assert writer.problem(JOB) == "No report of 1."
    assert last_word(DriftWriter(crash), JOB) == "Its process ended with exit code 3."
    assert last_word(DriftWriter(refuse, seconds=0.01), JOB) == "It took more than 0 seconds."
