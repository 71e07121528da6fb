"""``pitfalls monitor serve`` over configs that are only read, as a container mounts them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.monitor_service import served
from tests.needs import missing
from tests.own_table import own_rows, watch
from tests.small_deployment import LIVE, Days

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
def prefix() -> list[str]:
    """What takes from root the right to write what nobody may; nothing for another user."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        missing("setpriv is not installed (apt-get install util-linux)")
    return ["setpriv", "--bounding-set=-dac_override"]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that can be written: of the store, of caches, and of what the configs' folder would have."""
    folder = tmp_path / "state"
    folder.mkdir()
    monkeypatch.setenv("PITFALLS_STORE_URL", f"sqlite:///{folder}/pitfalls.db")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    return folder


def test_labels_fits_and_new_baselines_of_a_table_are_kept_in_the_state_folder(
    tmp_path: Path, state: Path, prefix: list[str]
) -> None:
    live = tmp_path / "live"
    live.mkdir()
    pq.write_table(own_rows(Days(days=21)), live / "a.parquet")
    config = watch(tmp_path / "configs", traffic=str(live / "*.parquet")).adopted.config
    folder, text = config.parent, config.read_text()
    config.write_text(text.replace('cron = "15 * * * *"', 'cron = "0 0 29 2 *"'))  # runs by what changes alone
    shutil.rmtree(folder / "fits", ignore_errors=True)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o222)
    refused = subprocess.run([*prefix, "touch", str(folder / "x")], capture_output=True, check=False)
    assert refused.returncode != 0, "the folder can be written: this tests nothing"

    def ask(*verb: str) -> str:
        command = [*prefix, sys.executable, "-m", "pitfalls_tf", "monitor", *verb, "--config", str(config)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode in (0, 1), done.stderr
        return done.stdout

    with served(tmp_path / "configs", prefix=prefix, more=("--state", str(state))) as service:
        service.wait_for("monitor.toml: Evaluated 21 windows")
        assert list(state.glob("pitfalls/label-logs/flights-*/*"))
        assert list(state.glob("fits/*.fit"))

        # A new baseline is beside nothing that is only read; the service takes it up, and undoing it.
        pq.write_table(own_rows(Days(days=1, start=LIVE.replace(day=22), seed=8)), live / "b.parquet")
        ask("rebaseline", "--from", "2013-04-01", "--to", "2013-04-21", "--reason", "new prices", "--by", "ada")
        [made] = state.glob("pitfalls/configs/flights-*/baseline-2013-04-22")
        service.wait_for("monitor.toml: Evaluated 1 window")
        [change] = json.loads(ask("status", "--json"))["rebaselines"]
        assert (change["by"], change["since"]) == ("ada", "2013-04-22T00:00:00Z")
        assert "judged again by the next run" in ask("rebaseline", "--undo")
        assert not (made.parent / "baseline.toml").exists()
        service.wait_until(lambda: sum("Evaluated" in line for line in service.lines) == 3)
        assert service.stop() == 0
    assert not any("Error" in line for line in service.lines), service.lines
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
