"""What a person closes is carried out by the next window, in its transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from monitoring.config import load_config
from monitoring.evidence.level import LevelState
from monitoring.records import IncidentAction
from monitoring.runs.run import run_due_windows
from monitoring.runs.run_request import Progress
from monitoring.sentences.incident_text import incident_text
from monitoring.store.store import Store
from tests.small_deployment import LIVE

DAY = timedelta(days=1)


def test_the_next_window_tests_against_the_baseline_again_and_harm_that_goes_on_comes_back(
    deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=20, broken_from=6))
    config = load_config(deployed / "monitor.toml")
    seen: list[Progress] = []

    def run(day: int) -> int:
        now = LIVE + day * DAY + timedelta(hours=7)
        return run_due_windows(config, store, clock=lambda: now, progress=seen.append).deployment

    def losses() -> dict[str, float]:
        offsets = LevelState.from_text(store.deployments.states(number)["page"]).offsets
        return {key.watch: offset for key, offset in offsets.items() if key.watch in ("error", "brier")}

    with Store.open(config.store.url) as store:
        number = run(12)
        pages = [one for one in store.incidents.read(number) if one.level == "page" and one.state != "closed"]
        assert losses()
        at = datetime(2014, 1, 1, tzinfo=UTC)
        for page in pages:
            store.incidents.act(number, page.number, IncidentAction(at=at, by="operator", kind="close", text="mended"))
        assert losses()  # evidence is moved by windows alone
        run(13)
        assert losses() == {}
        for page in pages:
            carried = store.incidents.get(number, page.number)
            assert (carried.state, carried.closed_at, carried.closed_from) == ("closed", at, "")
            assert replace(carried, actions=()) in seen[-1].changed
        run(20)
        again = [one for one in store.incidents.read(number) if one.previous in {page.number for page in pages}]
        assert again
        assert f" It came back, see #{again[0].previous}." in incident_text(again[0]).message
