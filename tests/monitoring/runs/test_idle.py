"""A run with nothing to do is known from the store alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from monitoring.config import load_config
from monitoring.errors import PitfallsError
from monitoring.runs.idle import has_news, idle_deployment, keep_stamp, label_logs_of
from monitoring.runs.idle_stamp import stamped_idle
from monitoring.runs.run import run_due_windows
from monitoring.store.checks import IdleDeployment
from monitoring.store.store import Store
from tests.monitoring.store.conftest import acknowledgement
from tests.own_table import own_rows, watch
from tests.small_deployment import LIVE, Days

NOW = datetime(2013, 5, 15, tzinfo=UTC)
Send = Callable[..., None]


def judge(folder: Path, now: datetime = NOW) -> int:
    config = load_config(folder / "monitor.toml")
    with Store.open(config.store.url) as store:
        return run_due_windows(config, store, clock=lambda: now).judged


def idle(folder: Path, now: datetime = NOW) -> IdleDeployment | None:
    return idle_deployment(load_config(folder / "monitor.toml"), now)


def test_traffic_of_the_past_is_looked_at_again_when_a_file_changes(deployed: Path, send: Send, days: Any) -> None:
    assert idle(deployed) is None
    send(deployed, days(days=3))
    assert idle(deployed) is None
    assert judge(deployed) == 3
    found = idle(deployed, NOW + timedelta(days=400))
    assert found is not None
    assert (found.judged_until, found.open_pages) == (datetime(2013, 4, 4, tzinfo=UTC), 0)
    send(deployed, days(days=1, start=datetime(2013, 4, 4, tzinfo=UTC)))
    assert idle(deployed) is None
    assert judge(deployed) == 1
    assert idle(deployed) is not None


def test_traffic_that_is_still_coming_is_looked_at_when_the_next_window_is_due(
    deployed: Path, send: Send, days: Any
) -> None:
    send(deployed, days(days=4))
    assert judge(deployed, datetime(2013, 4, 3, 7, tzinfo=UTC)) == 2
    send(deployed, days(days=1, start=datetime(2013, 4, 5, tzinfo=UTC)))
    assert idle(deployed, datetime(2013, 4, 4, 5, 59, tzinfo=UTC)) is not None
    assert idle(deployed, datetime(2013, 4, 4, 6, tzinfo=UTC)) is None


@pytest.mark.parametrize("change", ["[tolerance]\nerror = 0.03\n", '[deployment]\nname = "other"\n'])
def test_another_config_is_not_the_one_that_was_run(deployed: Path, send: Send, days: Any, change: str) -> None:
    send(deployed, days(days=1))
    judge(deployed)
    path = deployed / "monitor.toml"
    path.write_text(path.read_text() + change)
    assert idle(deployed) is None


def test_a_store_that_owes_a_notification_has_news_but_nothing_due(deployed: Path, send: Send, days: Any) -> None:
    send(deployed, days(days=1, without="temp"))
    config = load_config(deployed / "monitor.toml")
    judge(deployed)
    found = idle(deployed)
    assert found is not None
    assert (found.open_pages, found.pending, has_news(config, found)) == (1, 0, False)
    with Store.open(config.store.url) as store:
        store.incidents.act(found.number, 1, acknowledgement(NOW))
    owing = idle(deployed)
    assert owing is not None
    assert (owing.pending, has_news(config, owing)) == (1, True)
    path = deployed / "monitor.toml"
    path.write_text(path.read_text() + '[[notify]]\nroute = "alertmanager"\nurl = "http://alertmanager:9093"\n')
    assert has_news(load_config(path), found)


def test_a_run_with_nothing_due_loads_none_of_the_large_libraries_and_the_next_one_not_even_what_reads_configs(
    deployed: Path, send: Send, days: Any, tmp_path: Path
) -> None:
    send(deployed, days(days=1))
    judge(deployed)
    large = {"pyarrow", "sqlalchemy", "scipy", "alembic", "numpy", "asyncio", "apscheduler", "pydantic"}
    code = (
        "import sys\nfrom pitfalls_tf.cli import pitfalls\n"
        f"try: pitfalls(['monitor', 'run', '--config', {str(deployed / 'monitor.toml')!r}])\n"
        f"except SystemExit as end: print(end.code, {large!r} & set(sys.modules))"
    )
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "caches")}
    for expected in ("0 {'pydantic'}", "0 set()"):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True, env=environment
        )
        line, loaded = done.stdout.splitlines()
        assert line.startswith(
            "Nothing is due: judged until 2013-04-02 00:00 UTC; no row has come since, and a window has "
        )
        assert line.endswith("been due since 2013-04-03 06:00 UTC.")
        assert loaded == expected


def test_labels_are_looked_for_in_both_kinds_of_log(deployed: Path) -> None:
    assert label_logs_of(load_config(deployed / "monitor.toml")) == (deployed / "label-log", deployed / "traffic")


def _gone(path: Path) -> None:
    path.rename(path.with_suffix(".aside"))


def _cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _cut_off_beside_others(path: Path) -> None:
    (path.parent / "later.parquet").write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("traffic", "harm"),
    [
        ("../live/1.parquet", _gone),
        ("../live/1.parquet", _cut_off),
        ("../live/1.parquet", _emptied),
        ("../live", _cut_off),
        ("../live", _cut_off_beside_others),
        ("../live/*.parquet", _cut_off_beside_others),
    ],
)
def test_traffic_that_cannot_be_read_is_told_though_no_window_is_due(
    tmp_path: Path, traffic: str, harm: Callable[[Path], None]
) -> None:
    watched = watch(tmp_path, traffic=traffic)
    table = tmp_path / "live/1.parquet"
    table.parent.mkdir()
    pq.write_table(own_rows(Days(days=3)), table)
    now = LIVE + timedelta(days=2, hours=7)
    folder = watched.adopted.config.parent
    assert judge(folder, now) == 2
    assert idle(folder, now) is not None
    harm(table)
    assert idle(folder, now) is None
    with pytest.raises(PitfallsError, match=r"(1|later)\.parquet"):
        judge(folder, now)


def test_a_label_log_that_is_gone_is_told_though_no_window_is_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    path = watch(tmp_path, traffic="../live.parquet").adopted.config
    pq.write_table(own_rows(Days(days=3)), tmp_path / "live.parquet")
    now = LIVE + timedelta(days=2, hours=7)
    assert judge(path.parent, now) == 2
    known = idle(path.parent, now)
    assert known is not None
    assert known.labels_read > 0
    keep_stamp(path, load_config(path))
    assert stamped_idle(path, now) == known
    shutil.rmtree(load_config(path).traffic.label_log)
    assert stamped_idle(path, now) is None
    assert idle(path.parent, now) is None
    with pytest.raises(PitfallsError, match="The label log is not whole"):
        judge(path.parent, now)
