"""What the store knows of a deployment: every window, and totals that are their sums."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from monitoring.config import load_config
from monitoring.errors import BadInput
from monitoring.inspection.status import first_page, status
from monitoring.runs.run import run_due_windows
from monitoring.store.store import Store

NOW = datetime(2013, 5, 15, tzinfo=UTC)


def test_a_model_of_which_nothing_was_judged_is_an_error_that_says_what_to_run(tmp_path: Path) -> None:
    raised = pytest.raises(BadInput, match="Nothing was judged yet")
    with Store.open(f"sqlite:///{tmp_path}/pitfalls.db") as store, raised as caught:
        status(store, "flights")
    assert "flights" in caught.value.got
    assert "pitfalls monitor run" in caught.value.fix


def test_totals_are_those_of_the_windows_and_the_first_page_is_the_earliest(
    deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=2))
    send(deployed, days(days=2, start=datetime(2013, 4, 3, tzinfo=UTC), without="temp"))
    config = load_config(deployed / "monitor.toml")
    with Store.open(config.store.url) as store:
        number = run_due_windows(config, store, clock=lambda: NOW).deployment
        found = status(store, "flights")
        assert found == status(store, "flights", number)
    assert [window.start.day for window in found.windows] == [1, 2, 3, 4]
    assert found.coverage.rows == found.coverage.answered == 4 * 60
    assert found.coverage.windows == 4
    assert found.coverage.thin_windows == 0
    assert found.coverage.labels == sum(window.labels for window in found.windows) > 200
    page = first_page(found)
    assert page is not None
    at, incident = page
    assert (incident.watch, incident.slice) == ("schema", "temp")
    assert at == incident.opened_at == min(i.opened_at for i in found.incidents if i.level == "page")


def test_without_a_page_there_is_no_first_one(deployed: Path, send: Callable[..., None], days: Any) -> None:
    send(deployed, days(days=1))
    config = load_config(deployed / "monitor.toml")
    with Store.open(config.store.url) as store:
        run_due_windows(config, store, clock=lambda: NOW)
        assert first_page(status(store, "flights")) is None
