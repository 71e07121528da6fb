"""The windows of a deployment, as its store and its config know them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from monitoring.config import load_config
from monitoring.runs.backfill import list_windows
from monitoring.store import Store
from monitoring.store.checks import Check
from tests.dashboard_store import fill
from tests.small_deployment import CONFIG


def test_what_is_due_is_known_with_a_config_while_the_traffic_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "monitor.toml"
    calendar = '[[expected]]\nics = "gone.ics"\n'  # which the list does without
    path.write_text(CONFIG.replace('lateness = "6h"', 'lateness = "6h"\nevery = "7d"') + calendar)
    config = load_config(path)
    with Store.open(config.store.url) as store:
        number = fill(store, "flights")
        last = store.windows.read(number, scores=False)[-1]
        now = last.end + timedelta(days=22)
        assert {one.state for one in list_windows(config, store, number, latest=3, now=now)} == {"judged"}
        store.deployments.save_check(number, Check(checked_at=last.end + timedelta(hours=7)))
        found = list_windows(config, store, number, latest=3, now=now)
        assert [one.state for one in found[:3]] == ["judged"] * 3
        assert {one.state for one in found[3:]} == {"failed", "due"}
        assert len(list_windows(None, store, number, latest=3, now=now)) == 3
