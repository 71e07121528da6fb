from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event, inspect, text

from monitoring.config.files import ConfigFile
from monitoring.dashboard.deployment.deployment import read_deployment
from monitoring.dashboard.deployment.window import read_window
from monitoring.dashboard.overview.metrics import read_metrics
from monitoring.dashboard.overview.overview import read_overview
from monitoring.dashboard.stores.candidates import Question
from monitoring.dashboard.stores.named_store import NamedStore
from monitoring.dashboard.stores.stores import Stores
from monitoring.errors import BadInput
from monitoring.records import IncidentAction
from tests.dashboard_store import NOW

SHOP = ("shop", 1)


def test_the_overview_reads_only_the_rows_it_shows(stores: Stores) -> None:
    found = read_overview(stores, Question())
    assert [row.name for row in found.rows] == ["flights", "parcels"]
    assert (found.total, found.matches, found.pages) == (2, 2, 1)
    assert read_overview(stores, Question(text="parc", page=9)).rows[0].name == "parcels"


def test_a_store_or_config_that_cannot_be_read_is_shown_as_failing(stores: Stores, tmp_path: Path) -> None:
    away = NamedStore(name="away", url=f"sqlite:///{tmp_path}/none/away.db", files=())
    bad = ConfigFile(path=Path("bad.toml"), config=None, problem="bad.toml has 1 error")
    found = read_overview(replace(stores, stores=(*stores.stores, away), files=(bad,)), Question())
    assert [row.name for row in found.rows] == ["flights", "parcels"]
    assert [one.config for one in found.failures] == ["bad.toml", "away"]
    assert found.failures[0].reason == "bad.toml has 1 error"
    assert found.failures[1].reason.startswith("No window has been judged yet.")


def test_each_page_of_a_deployment_is_found(stores: Stores) -> None:
    assert read_deployment(stores.deployment(SHOP)).name == "flights"
    start = read_deployment(stores.deployment(SHOP), 30).charts[1].table
    assert start is not None
    assert len(start.rows) == 30
    window = start.rows[1][0].value
    assert not isinstance(window, str | int | float | None)
    view = read_window(stores.deployment(SHOP), window)
    assert view.before
    assert view.after == start.rows[0][0].href


@pytest.mark.parametrize(("store", "number"), [("none", 1), ("shop", 9), ("shop", 1)])
def test_what_is_not_there_is_said(stores: Stores, store: str, number: int) -> None:
    with pytest.raises(BadInput, match="There is no such"):
        read_window(stores.deployment((store, number)), NOW)


def test_all_times_of_a_page_are_in_the_readers_zone(stores: Stores) -> None:
    own, tokyo = (
        read_deployment(stores.deployment(SHOP), 30),
        read_deployment(replace(stores, shown_in="Asia/Tokyo").deployment(SHOP), 30),
    )
    assert own.timezone == "UTC"
    assert tokyo.timezone == "Asia/Tokyo, yours; the deployment's is UTC"
    assert dict(tokyo.configuration)["Time zone"] == "UTC"
    assert own.standing.sentence != tokyo.standing.sentence
    axes = [[(one.x, one.text) for one in view.charts[0].drawings[0].labels if one.y > 220] for view in (own, tokyo)]
    assert axes[0] != axes[1]
    texts = [view.charts[1].table.rows[0][0].text for view in (own, tokyo) if view.charts[1].table is not None]
    assert texts == ["10 May 2013", "10 May 2013 09:00 \N{EN DASH} 11 May 2013 09:00"]


def test_metrics_of_more_deployments_than_a_statement_takes_values(stores: Stores) -> None:
    (named,) = stores.stores
    engine = named.store().transactions.engine
    with engine.begin() as connection:
        names = [column["name"] for column in inspect(connection).get_columns("deployment")]
        kept = ", ".join(name for name in names if name not in ("id", "name"))
        series = "WITH RECURSIVE c(k) AS (SELECT 3 UNION ALL SELECT k + 1 FROM c WHERE k < 1200) "
        connection.execute(
            text(
                f"{series}INSERT INTO deployment (id, name, {kept}) SELECT k, 'copy-' || k, "  # noqa: S608 - names of columns
                f"{kept.replace('settings_digest', 'k')} FROM c, deployment WHERE id = 1"
            )
        )
    engine.dispose()
    event.listen(engine, "connect", lambda raw, _: raw.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999))
    found = read_metrics(stores)
    assert 'pitfalls_last_run_timestamp_seconds{deployment="copy-1200"' in found
    assert found.count("pitfalls_last_window_rows{") == 2
    assert found.count("pitfalls_unacknowledged_page{") == 1200


def test_acting_changes_the_fingerprint(stores: Stores) -> None:
    before = stores.fingerprint()
    deployment = stores.deployment(SHOP)
    deployment.store.incidents.act(deployment.number, 1, IncidentAction(at=NOW, by="operator", kind="acknowledge"))
    assert stores.fingerprint() != before
