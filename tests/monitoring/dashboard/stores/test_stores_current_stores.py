from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from monitoring.config.files import ConfigFile, read_files
from monitoring.dashboard.overview.endpoints import readiness
from monitoring.dashboard.overview.overview import read_overview
from monitoring.dashboard.stores.candidates import Question
from monitoring.dashboard.stores.stores import CurrentStores
from tests.dashboard_store import make_store

CONFIG = '[model]\nbundle = "models/flights"\n[traffic]\npath = "traffic"\n[store]\nurl = "sqlite:///pitfalls.db"\n'


def test_the_pages_follow_the_configs_and_stores_stay_open_while_they_are_the_same(tmp_path: Path) -> None:
    make_store(tmp_path / "pitfalls.db")
    (tmp_path / "monitor.toml").write_text(CONFIG)
    files: tuple[ConfigFile, ...] = ()
    stores = CurrentStores(lambda: files)
    assert read_overview(stores(), Question()).total == 0
    files = read_files([tmp_path / "monitor.toml"])
    shown = stores()
    assert shown is stores()
    assert read_overview(shown, Question()).total == 2
    before = stores.fingerprint()
    files = (replace(files[0], problem="The last run failed."),)
    (failure,) = read_overview(stores(), Question()).failures
    assert (failure.reason, failure.unreadable) == ("The last run failed.", False)
    assert stores().stores is shown.stores
    assert readiness(stores()) == (True, "ok\n")
    assert stores.fingerprint() != before
    files = ()
    assert read_overview(stores(), Question()).total == 0
    stores.close()
