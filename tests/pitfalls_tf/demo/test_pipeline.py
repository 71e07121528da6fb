"""A demo whose stages are all finished."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from monitoring.errors import CannotRun
from pitfalls_tf.demo import pipeline
from pitfalls_tf.demo.journal import open_journal
from pitfalls_tf.demo.pipeline import STAGES, DemoSettings, run_demo


class AllSkipped:
    """A listener that expects every stage to be skipped."""

    def stage_started(self, name: str, note: str, *, skipped: bool) -> None:
        assert skipped, name

    def stage_progressed(self, done: int, total: int, note: str) -> None:
        raise AssertionError(note)


@pytest.fixture
def finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DemoSettings:
    """A finished demo with a report."""
    settings = DemoSettings(out=tmp_path / "demo", picture=tmp_path / "new" / "copy.png")
    journal = open_journal(settings.out, {"seeds": 5, "until": settings.until.isoformat()}, fresh=False)
    for name in STAGES:
        journal = journal.with_stage(name, 1.0, {})
    (settings.out / "report").mkdir()
    (settings.out / "report" / "report.png").write_text("drawn")

    def nothing(out: Path) -> Any:
        return None

    for name in ("_status", "_last_drill"):
        monkeypatch.setattr(pipeline, name, nothing)
    return settings


def test_the_picture_of_a_finished_demo_is_copied(finished: DemoSettings, tmp_path: Path) -> None:
    run_demo(finished, AllSkipped())
    assert (tmp_path / "new" / "copy.png").read_text() == "drawn"


def test_a_picture_that_cannot_be_copied_is_reported(finished: DemoSettings) -> None:
    (finished.out / "report" / "report.png").unlink()
    with pytest.raises(CannotRun, match=r"The picture was not copied.*report\.png"):
        run_demo(finished, AllSkipped())
