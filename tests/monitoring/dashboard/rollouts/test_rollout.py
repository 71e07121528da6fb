"""The page *Versions*."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from monitoring.dashboard.overview.metrics import read_metrics
from monitoring.dashboard.stores.stores import Stores
from monitoring.records import RolloutEvent, RolloutRecord
from monitoring.rollout.decision_rules import DecisionRules
from monitoring.rollout.evaluation import evaluate
from monitoring.rollout.rollout_settings import iso, with_setting
from tests.dashboard_store import HOSTILE, NOW
from tests.monitoring.dashboard.web.test_app import client_of
from tests.monitoring.rollout.records import promised, rollout
from tests.monitoring.rollout.test_evaluation import MEASURES, windows


@pytest.fixture
def client(stores: Stores) -> TestClient:
    return client_of(stores)


def kept(stores: Stores, **values: object) -> int:
    """A shadow of the first deployment with ten windows, in its store."""
    table = stores.stores[0].store().rollouts
    costs = {
        name: {"p50_us": 900.0, "p99_us": time, "memory_bytes": 3 << 20}
        for name, time in (("candidate", 1_500.0), ("champion", 1_400.0))
    }
    result = evaluate(windows(-0.05, days=10), MEASURES, DecisionRules())
    settings = with_setting(with_setting(rollout().settings, "costs", costs), "worked_at", iso(NOW))
    record: RolloutRecord = replace(
        rollout(), result=result, settings=settings, started_at=NOW, plan=promised((0.05, "worse", 3.0))
    )
    number = table.begin(replace(record, **values))  # type: ignore[arg-type]  # each value fits its field
    event = RolloutEvent(at=NOW, kind="started", by=HOSTILE, text=HOSTILE)
    table.save(table.read(number), [event])
    return number


def test_without_a_rollout_the_page_says_how_to_begin(client: TestClient) -> None:
    assert 'href="/d/shop/1/versions"' in client.get("/d/shop/1").text
    page = client.get("/d/shop/1/versions").text
    assert "No two versions of this model were compared yet." in page
    assert "pitfalls rollout start --config FILE" in page
    assert client.get("/d/shop/1/versions/1").status_code == 404


def test_a_rollout_has_its_interval_guards_costs_and_what_happened(stores: Stores, client: TestClient) -> None:
    number = kept(stores)
    page = client.get("/d/shop/1/versions").text
    assert page == client.get(f"/d/shop/1/versions/{number}").text
    for words in (
        "Version 43 against version 42",
        "Worse. Rollout",
        "origin=EWR",
        "1.50",
        "Promised before it began",
        "20 is enough",
    ):
        assert words in page
    assert 'class="band"' in page  # the region of differences that do not matter
    assert HOSTILE not in page
    looks = client.get(f"/d/shop/1/versions/{number}/tables/looks.csv").text.splitlines()
    assert len(looks) == 11
    assert ",worse," in looks[1]


def test_a_rollout_that_has_ended_keeps_its_page(stores: Stores, client: TestClient) -> None:
    first = kept(stores, state="stopped", ended_at=NOW)
    second = kept(stores)
    assert ": stopped." in client.get(f"/d/shop/1/versions/{first}").text
    assert f"Rollout {second}" in client.get("/d/shop/1/versions").text
    assert client.get(f"/d/shop/2/versions/{first}").status_code == 404


def test_a_dead_shadow_is_said_and_tells_nothing(stores: Stores, client: TestClient) -> None:
    settings = with_setting(rollout().settings, "worked_at", iso(NOW - timedelta(days=1)))
    kept(stores, settings=settings)
    page = client.get("/d/shop/1/versions").text
    assert "has made no pass since" in page
    assert "t tell yet. Rollout" in page


def test_rows_without_a_config_say_why(stores: Stores, client: TestClient) -> None:
    number = kept(stores)
    assert "The rows cannot be read." in client.get(f"/d/shop/1/versions/{number}/rows").text
    assert client.get("/d/shop/1/versions/9/rows").status_code == 404


def test_metrics_are_of_rollouts_that_go_on(stores: Stores) -> None:
    assert "pitfalls_rollout" not in read_metrics(stores)
    kept(stores, state="stopped", ended_at=NOW)
    assert "pitfalls_rollout" not in read_metrics(stores)
    kept(stores)
    labels = 'deployment="flights",champion="42",candidate="43",mode="shadow",store="shop"'
    lines = read_metrics(stores).splitlines()
    assert f'pitfalls_rollout_verdict{{{labels},verdict="worse"}} 1.0' in lines
    assert f'pitfalls_rollout_verdict{{{labels},verdict="better"}} 0.0' in lines
    assert f"pitfalls_rollout_rows{{{labels}}} 10000.0" in lines
    assert any(line.startswith("pitfalls_rollout_last_pass_timestamp_seconds{") for line in lines)


def test_the_api_has_rollouts(stores: Stores, client: TestClient) -> None:
    number = kept(stores)
    found = client.get("/api/v1/deployments/shop/1/rollouts").json()
    assert [one["number"] for one in found["rollouts"]] == [number]
    assert client.get(f"/api/v1/deployments/shop/1/rollouts/{number}").json() == found["rollouts"][0]
    assert found["rollouts"][0]["verdict"] == "worse"
    assert client.get("/api/v1/deployments/shop/1/rollouts/9").status_code == 404
