"""A demo whose stages are all finished."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monitoring.errors import BadInput, CannotRun
from pitfalls_tf.demo import pipeline
from pitfalls_tf.demo.pipeline import MADE, NAME, STAGES, DemoSettings, open_journal, run_demo


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


SETTINGS = {"seeds": 5, "until": "2014-01-01"}


def test_finished_stages_are_read_back(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "demo", SETTINGS, fresh=False)
    assert not journal.finished("train")
    journal.with_stage("train", 1.26, {"deployed_seed": 3})
    again = open_journal(tmp_path / "demo", SETTINGS, fresh=False)
    assert again.finished("train")
    assert not again.finished("export")
    assert again.stages == {"train": {"deployed_seed": 3, "seconds": 1.3}}


def test_other_settings_cannot_resume(tmp_path: Path) -> None:
    open_journal(tmp_path, SETTINGS, fresh=False)
    with pytest.raises(BadInput, match=r"with other settings.*--fresh"):
        open_journal(tmp_path, {**SETTINGS, "seeds": 2}, fresh=False)


def test_a_fresh_start_deletes_what_a_demo_wrote_and_nothing_else(tmp_path: Path) -> None:
    open_journal(tmp_path, SETTINGS, fresh=False).with_stage("train", 1.0, {})
    for name in ("runs", "traffic"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    (tmp_path / "pitfalls.db").touch()
    (tmp_path / "pitfalls.db-wal").touch()
    (tmp_path / "notes.txt").write_text("mine")
    journal = open_journal(tmp_path, {**SETTINGS, "seeds": 2}, fresh=True)
    assert journal.stages == {}
    assert {path.name for path in tmp_path.iterdir()} == {"notes.txt", NAME}
    assert NAME in MADE


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(BadInput, match="was not made by a demo"):
        open_journal(tmp_path, SETTINGS, fresh=False)
    with pytest.raises(BadInput, match="was not made by a demo"):
        open_journal(tmp_path, SETTINGS, fresh=True)


@pytest.mark.parametrize("text", ["", "[]", json.dumps({"settings": SETTINGS})])
def test_an_unreadable_journal_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text)
    with pytest.raises(BadInput, match="journal cannot be read"):
        open_journal(tmp_path, SETTINGS, fresh=False)


def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotRun, match="cannot be written"):
        open_journal(tmp_path / "file" / "demo", SETTINGS, fresh=False)
