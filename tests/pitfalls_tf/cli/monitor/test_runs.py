"""``pitfalls monitor runs``."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from click.testing import Result

from monitoring.records import RunRecord
from monitoring.store import Store
from tests.dashboard_store import fill
from tests.small_deployment import CONFIG

NOON = datetime(2013, 5, 1, 12, tzinfo=UTC)


def test_runs_are_listed_the_newest_first(tmp_path: Path, pitfalls: Callable[..., Result]) -> None:
    (tmp_path / "monitor.toml").write_text(CONFIG)
    place = ("--config", str(tmp_path / "monitor.toml"), "--deployment", "1")
    with Store.open(f"sqlite:///{tmp_path / 'pitfalls.db'}") as store:
        fill(store, "flights", page=False)
        ended = NOON + timedelta(seconds=1.5)
        first = RunRecord(started_at=NOON, ended_at=ended, windows=1, rows=900, host="monitor-1", version="0.2.0")
        store.runs.begin(1, first)
        store.runs.begin(1, RunRecord(started_at=ended, error="No\nbundle.", host="monitor-1", version="0.2.0"))
    assert pitfalls("monitor", "runs", *place).stdout.splitlines()[:2] == [
        "2013-05-01 12:00:01  no window, no row  not ended  monitor-1  0.2.0  Error: No bundle.",
        "2013-05-01 12:00:00  1 window, 900 rows  1.5 s  monitor-1  0.2.0",
    ]
    (only,) = json.loads(pitfalls("monitor", "runs", *place, "--latest", "1", "--json").stdout)["runs"]
    assert (only["started_at"], only["ended_at"], only["error"]) == ("2013-05-01T12:00:01.500000Z", None, "No\nbundle.")
