"""``pitfalls monitor windows``."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from click.testing import Result

from monitoring.store import Store
from monitoring.store.checks import Check
from tests.dashboard_store import WINDOWS, fill
from tests.small_deployment import CONFIG


def test_the_windows_of_a_monitor_that_is_dead_are_due_and_say_why(
    tmp_path: Path, pitfalls: Callable[..., Result]
) -> None:
    config = tmp_path / "monitor.toml"
    config.write_text(CONFIG.replace('lateness = "6h"', 'lateness = "6h"\nevery = "7d"'))
    with Store.open(f"sqlite:///{tmp_path / 'pitfalls.db'}") as store:
        number = fill(store, "flights")
        last = store.windows.read(number, scores=False)[-1]
        place = ("monitor", "windows", "--config", str(config), "--deployment", str(number))
        judged = pitfalls(*place, "--latest", "2").stdout.splitlines()
        assert [line.split("  ")[2] for line in judged] == ["judged", "judged"]
        assert judged[-1].startswith(f"{last.start:%Y-%m-%d %H:%M}  {last.end:%Y-%m-%d %H:%M}  judged  {last.status}  ")
        store.deployments.save_check(number, Check(checked_at=last.end + timedelta(hours=7)))
    failed, *due = json.loads(
        pitfalls(*place, "--latest", "100000", "--state", "failed", "--state", "due", "--json").stdout
    )["windows"]
    assert (failed["state"], failed["attempts"], failed["reason"]) == ("failed", 1, "No bundle at UA.")
    assert len(due) > 500
    assert {one["state"] for one in due} == {"due"}
    every = json.loads(pitfalls(*place, "--latest", "100000", "--json").stdout)["windows"]
    assert len(every) == WINDOWS + 1 + len(due)
