from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from monitoring.config.files import ConfigFile, read_files
from monitoring.dashboard.views.candidates import Question
from monitoring.dashboard.web.current_pages import CurrentPages
from tests.dashboard_store import make_store

CONFIG = '[model]\nbundle = "models/flights"\n[traffic]\npath = "traffic"\n[store]\nurl = "sqlite:///pitfalls.db"\n'


def test_the_pages_follow_the_configs_and_stores_stay_open_while_they_are_the_same(tmp_path: Path) -> None:
    make_store(tmp_path / "pitfalls.db")
    (tmp_path / "monitor.toml").write_text(CONFIG)
    files: tuple[ConfigFile, ...] = ()
    pages = CurrentPages(lambda: files)
    assert pages().overview(Question()).total == 0
    files = read_files([tmp_path / "monitor.toml"])
    shown = pages()
    assert shown is pages()
    assert shown.overview(Question()).total == 2
    before = pages.fingerprint()
    files = (replace(files[0], problem="The last run failed."),)
    (failure,) = pages().overview(Question()).failures
    assert (failure.reason, failure.unreadable) == ("The last run failed.", False)
    assert pages().sources is shown.sources
    assert pages().ready()
    assert pages.fingerprint() != before
    files = ()
    assert pages().overview(Question()).total == 0
    pages.close()
