"""Backfills, new baselines and labels over the API, of a deployment that is real in every part."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from monitoring.config import load_config
from monitoring.config.files import read_files
from monitoring.dashboard.stores.named_store import named_stores
from monitoring.dashboard.stores.stores import Stores
from monitoring.runs.run import run_due_windows
from monitoring.store import Store
from monitoring.traffic.labels.label_log import LabelLog
from tests.monitoring.dashboard.api.test_application import BEARER, SHOP, TOKEN, client_of
from tests.small_deployment import LIVE, bundle, days, deploy, deployed, send

__all__ = ["bundle", "days", "deploy", "deployed", "send"]

DAYS = 6
NOW = LIVE + timedelta(days=DAYS, hours=7)
PLACE = "/api/v1/deployments/flights/1"


def at(days: float) -> str:
    """The time so many days after the first, as JSON has it."""
    return f"{LIVE + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"


def test_windows_are_judged_again_labels_added_and_a_baseline_made_and_undone(
    deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=DAYS))
    path = deployed / "monitor.toml"
    config = load_config(path)
    with Store.open(config.store.url) as store:
        run_due_windows(config, store, clock=lambda: NOW)
    files = read_files([path])
    client = client_of(Stores(stores=named_stores(files), files=files, clock=lambda: NOW), TOKEN)
    client.headers.update(BEARER)

    send(deployed, days(days=1, start=LIVE + timedelta(days=4), seed=8, principal="late"))
    asked = {"by": "ada", "start": at(4), "end": at(5)}
    done = client.post(f"{PLACE}/backfill", json=asked).json()
    assert (done["until"], done["judged"], done["stopped"]) == (at(6), 2, False)
    first, second = done["revised"]
    assert (first["start"], first["before"]["rows"], first["after"]["rows"], second["after"]["rows"]) == (
        at(4),
        60,
        120,
        60,
    )
    states = client.get(f"{PLACE}/window-states?limit=3").json()["windows"]
    assert [(one["state"], one["attempts"]) for one in states] == [("judged", 1), ("revised", 2), ("revised", 2)]
    assert [(one["backfill"], one["rows"]) for one in states[1]["before"]] == [(1, 60)]

    label = {"prediction_id": "x:0", "label": "late", "label_time": at(1)}
    before = LabelLog(deployed / "traffic").read().num_rows
    two = {"by": "ada", "labels": [label, {**label, "label": 1.0}]}
    assert client.post(f"{PLACE}/labels", json=two).json() == {"added": 2}
    assert LabelLog(deployed / "traffic").read().num_rows == before + 2
    assert client.post(f"{PLACE}/labels", json={"labels": [{**label, "label_time": "soon"}]}).status_code == 400
    assert client.post(f"{PLACE}/labels", json={"labels": [label]}).json() == {"added": 1}
    assert client.get(f"{PLACE}/label-requests").json()["requests"] == [
        {"at": f"{NOW:%Y-%m-%dT%H:%M:%SZ}", "by": by, "labels": count} for by, count in (("", 1), ("ada", 2))
    ]
    assert "Labels added" in client.get("/d/flights/1/runs").text

    normal = {"by": "ada", "start": at(0), "end": at(DAYS), "reason": "new prices"}
    made = client.post(f"{PLACE}/rebaseline", json=normal)
    assert (made.status_code, made.json().get("since"), made.json().get("rows")) == (200, at(DAYS), 420)
    assert client.post(f"{PLACE}/rebaseline/undo", json={"by": "ada"}).json() == {"since": at(DAYS), "reopened": []}
    assert client.post(f"{PLACE}/rebaseline/undo", json={"by": "ada"}).status_code == 400

    with Store.open(config.store.url) as store, store.leases.take(1, "a run", NOW, 60):
        assert client.post(f"{PLACE}/backfill", json=asked).status_code == 409


@pytest.fixture
def client(stores: Stores) -> TestClient:
    found = client_of(stores, TOKEN)
    found.headers.update(BEARER)
    return found


@pytest.mark.parametrize("what", ["backfill", "rebaseline", "rebaseline/undo", "labels"])
def test_a_change_needs_the_config_and_a_document_that_fits(client: TestClient, what: str) -> None:
    documents = {
        "backfill": {"by": "ada", "start": at(0), "end": at(1)},
        "rebaseline": {"by": "ada", "start": at(0), "end": at(1), "reason": "so"},
        "rebaseline/undo": {"by": "ada"},
        "labels": {"labels": [{"prediction_id": "x", "label": "late", "label_time": at(1)}]},
    }
    answer = client.post(f"{SHOP}/{what}", json=documents[what])
    assert (answer.status_code, answer.json()["what"]) == (400, "The config of this deployment is not known here.")
    assert client.post(f"{SHOP}/{what}", json={"by": ""}).status_code == 400
    assert client.post(f"/api/v1/deployments/shop/99/{what}", json=documents[what]).status_code == 404
    assert client.get(f"{SHOP}/{what}").status_code == 405


@pytest.mark.parametrize(
    ("place", "why"),
    [("url", "at a URL are not written from here"), ("foreign", "added to a traffic log of this machine")],
)
def test_labels_are_refused_where_nothing_would_read_them(
    deployed: Path, send: Callable[..., None], days: Any, place: str, why: str
) -> None:
    send(deployed, days(days=DAYS))
    path = deployed / "monitor.toml"
    config = load_config(path)
    with Store.open(config.store.url) as store:
        run_due_windows(config, store, clock=lambda: NOW)
    other = f'path = "{(deployed / "traffic").as_uri()}"' if place == "url" else 'path = "events"\nlog = "kserve"'
    path.write_text(path.read_text().replace('path = "traffic"', other))
    (deployed / "events").mkdir()
    files = read_files([path])
    client = client_of(Stores(stores=named_stores(files), files=files, clock=lambda: NOW), TOKEN)
    client.headers.update(BEARER)
    before = set(deployed.rglob("*"))
    label = {"prediction_id": "x:0", "label": "late", "label_time": at(1)}
    answer = client.post(f"{PLACE}/labels", json={"by": "ada", "labels": [label]})
    assert (answer.status_code, why in answer.json()["what"]) == (400, True)
    assert {file for file in set(deployed.rglob("*")) - before if "pitfalls.db" not in file.name} == set()
