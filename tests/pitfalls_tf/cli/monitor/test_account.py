"""``pitfalls monitor account``."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from monitoring.store import Store
from tests.dashboard_store import WINDOWS, fill
from tests.small_deployment import CONFIG

Pitfalls = Callable[..., Result]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "monitor.toml").write_text(CONFIG)
    with Store.open(f"sqlite:///{tmp_path / 'pitfalls.db'}") as store:
        fill(store, "flights")
    return tmp_path / "monitor.toml"


def test_an_account_without_its_baseline_says_so_and_is_checked_in_an_empty_folder(
    tmp_path: Path, config: Path, pitfalls: Pitfalls
) -> None:
    period = ("--from", "1990-01-01", "--to", "2090-01-01", "--config", config)
    (empty := tmp_path / "empty").mkdir()
    files = ("--out", empty / "a.zip", "--checker", empty / "c.py")
    result = pitfalls("monitor", "account", *period, *files, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["records"]["windows"] == WINDOWS
    ran = subprocess.run(
        [sys.executable, "-I", "c.py", "a.zip", "--head", document["head"]],
        cwd=empty,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"{WINDOWS} windows" in ran.stdout, ran.stderr
    assert "chain breaks" not in ran.stdout
    assert ran.returncode
    assert "NOT COUNTED ANEW: " in ran.stdout
    assert " 0 levels" in ran.stdout
    assert "Nobody can count this account anew" in result.stderr


def test_periods_and_folders_that_cannot_be_are_refused(tmp_path: Path, config: Path, pitfalls: Pitfalls) -> None:
    place = ("--out", tmp_path / "a.zip", "--config", config)
    result = pitfalls("monitor", "account", "--from", "2014-01-01", "--to", "2013-01-01", *place)
    assert (result.exit_code, "The period is empty" in result.stderr) == (2, True)
    result = pitfalls("monitor", "account", "--from", "1914-01-01", "--to", "1915-01-01", *place)
    assert (result.exit_code, "No window of that time" in result.stderr) == (2, True)
    result = pitfalls(
        *("monitor", "account", "--from", "2013-01-01", "--to", "2014-01-01"),
        *("--out", tmp_path / "no" / "a.zip", "--config", config),
    )
    assert (result.exit_code, "The folder is not there" in result.stderr) == (2, True)
