"""What the windows of a run say against its deployment is the same in the report, on every page and for machines."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from monitoring import Monitor
from monitoring.config import load_config
from monitoring.dashboard.stores.named_store import NamedStore
from monitoring.dashboard.stores.standing import standing
from monitoring.dashboard.stores.stores import Stores
from monitoring.inspection.status import status
from monitoring.records import NO_CLAIMS, IncidentAction
from monitoring.reports.sections.health import health_of
from monitoring.store import Store
from tests.monitoring.dashboard.web.test_app import client_of
from tests.monitoring.runs.test_run_burn_in import ROWS, days, watching

#: Days of the reference, and when the three days after it have been judged.
DAYS, NOW = 20, datetime(2024, 3, 24, 12, tzinfo=UTC)


def stands(folder: Path, *, now: datetime) -> dict[str, str]:
    """The worst state of a folder's only deployment, by where it is shown; with its clause in the report."""
    url = load_config(folder / "monitor.toml").store.url
    with Store.open(url) as store:
        health = health_of(status(store, folder.name, now=now))
    client = client_of(Stores(stores=(NamedStore(name="shop", url=url, files=()),), clock=lambda: now))
    [deployment] = client.get("/api/v1/deployments").json()["deployments"]
    metrics = client.get("/metrics").text.splitlines()
    [on] = [line for line in metrics if line.startswith("pitfalls_deployment_state{") and line.endswith(" 1.0")]
    assert deployment["standing"]["facts"] == [deployment["standing"]["state"]]
    assert [state for state, _ in health.against] == [health.state]
    overview, view = client.get("/").text, client.get("/d/shop/1").text
    assert health.against[0][1].lower() in deployment["standing"]["summary"].lower()
    assert health.against[0][1].lower() in view.lower()
    return {
        "report": health.state,
        "overview": overview.partition('<tr class="row-')[2].partition('"')[0],
        "view": view.partition("<h1>")[2].partition('class="state ')[2].partition('"')[0],
        "API": deployment["standing"]["state"],
        "metrics": on.partition('state="')[2].partition('"')[0],
    }


def everywhere(state: str) -> dict[str, str]:
    return dict.fromkeys(("report", "overview", "view", "API", "metrics"), state)


def dated(folder: Path, live: pd.DataFrame) -> Monitor:
    fields: dict[str, Any] = {"scores": "p", "label": "y", "prediction_id": "id", "event_time": "ts"}
    settings = {"windows": {"lateness": "0h"}}
    monitor = Monitor.from_reference(days(DAYS, 0), out=folder, clock=lambda: NOW, settings=settings, **fields)
    monitor.run(live)
    return monitor


@pytest.fixture
def live() -> pd.DataFrame:
    return days(DAYS + 3, 1)[DAYS * ROWS :]


def test_a_deployment_without_labels(tmp_path: Path, live: pd.DataFrame) -> None:
    unlabelled = live.assign(y=None)
    monitor = dated(tmp_path, unlabelled)
    assert stands(tmp_path, now=NOW) == everywhere("unlabelled")
    with Store.open(load_config(monitor.config).store.url) as store:
        [summary] = store.overview.summaries()
        assert summary.last is not None
        store.windows.save_claims(1, summary.last[0], NO_CLAIMS)  # as a store of an earlier release is read
        assert standing(store.overview.summaries()[0], NOW).state == "ok"
    monitor.run(unlabelled)
    assert stands(tmp_path, now=NOW) == everywhere("unlabelled")


def test_one_in_a_burn_in(tmp_path: Path) -> None:
    watching(tmp_path, days(DAYS, 0).drop(columns="ts")).run(days(3, 1))
    assert stands(tmp_path, now=datetime(2024, 3, 4, 12, tzinfo=UTC)) == everywhere("burn-in")


def test_one_with_a_fact_in_its_last_window_and_no_open_page(tmp_path: Path, live: pd.DataFrame) -> None:
    live.loc[live.index[-ROWS:], "p"] = np.nan
    dated(tmp_path, live)
    with Store.open(load_config(tmp_path / "monitor.toml").store.url) as store:
        [closed] = store.incidents.close_all(1, IncidentAction(at=NOW, by="ada", kind="close"))
    assert closed.level == "page"
    assert stands(tmp_path, now=NOW) == everywhere("fact")
