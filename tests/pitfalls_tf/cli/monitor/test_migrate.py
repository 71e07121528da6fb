"""``pitfalls monitor migrate``, and that looking changes no store of an earlier release."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result

Pitfalls = Callable[..., Result]
OLD = Path(__file__).parents[3] / "compatibility" / "version_0_1_0"


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """A folder with a config and a store of version 0.1.0."""
    shutil.copy(OLD / "pitfalls.db", tmp_path)
    (tmp_path / "monitor.toml").write_text(
        '[model]\nbundle = "models/flights"\n[traffic]\npath = "traffic"\n[store]\nurl = "sqlite:///pitfalls.db"\n'
    )
    return tmp_path


def revision(folder: Path) -> str:
    with closing(sqlite3.connect(folder / "pitfalls.db")) as connection:
        [[found]] = connection.execute("SELECT version_num FROM pitfalls_revision").fetchall()
    return str(found)


@pytest.mark.parametrize("verb", [["status"], ["deployments"], ["incidents", "list"], ["runs"], ["notify", "list"]])
def test_looking_at_a_store_of_an_earlier_release_names_the_verb_and_changes_nothing(
    pitfalls: Pitfalls, earlier: Path, verb: list[str]
) -> None:
    before = (earlier / "pitfalls.db").read_bytes()
    result = pitfalls("monitor", *verb, "--config", earlier / "monitor.toml")
    assert (result.exit_code, "pitfalls monitor migrate" in result.stderr) == (3, True)
    assert (earlier / "pitfalls.db").read_bytes() == before


def test_migrating_is_asked_for_checked_and_done_once(pitfalls: Pitfalls, earlier: Path) -> None:
    config = ("--config", earlier / "monitor.toml")
    before = revision(earlier)
    checked = pitfalls("monitor", "migrate", *config, "--check")
    assert (checked.exit_code, revision(earlier)) == (1, before)
    done = pitfalls("monitor", "migrate", *config)
    assert (done.exit_code, f"Migrated from revision {before} to {revision(earlier)}." in done.stdout) == (0, True)
    assert revision(earlier) > before
    assert pitfalls("monitor", "migrate", *config, "--check").exit_code == 0
    assert pitfalls("monitor", "status", *config).exit_code in (0, 1)


def test_without_a_store_there_is_nothing_to_migrate(pitfalls: Pitfalls, earlier: Path) -> None:
    (earlier / "pitfalls.db").unlink()
    result = pitfalls("monitor", "migrate", "--config", earlier / "monitor.toml")
    assert (result.exit_code, "No window has been judged yet" in result.stderr) == (2, True)
    assert not (earlier / "pitfalls.db").exists()
