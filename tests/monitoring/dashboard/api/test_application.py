"""The HTTP API as a client meets it."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from monitoring.dashboard.api.operations import MOST
from monitoring.dashboard.stores.stores import Stores
from monitoring.dashboard.web.app import Changes, dashboard_app
from tests.dashboard_access import access_with

TOKEN = "a-token-of-enough-length"
SHOP = "/api/v1/deployments/shop/1"
BEARER = {"authorization": f"Bearer {TOKEN}"}


def client_of(stores: Stores, token: str | None = None) -> TestClient:
    access = access_with({token: "act"} if token else {})
    return TestClient(dashboard_app(lambda: stores, access, Changes(stores.fingerprint)), follow_redirects=False)


@pytest.fixture
def client(stores: Stores) -> TestClient:
    return client_of(stores)


def test_deployments_come_in_pages(client: TestClient) -> None:
    first = client.get("/api/v1/deployments?limit=1").json()
    second = client.get(f"/api/v1/deployments?limit=1&after={first['next']}").json()
    names = [one["name"] for page in (first, second) for one in page["deployments"]]
    assert (names, second["next"]) == (["flights", "parcels"], None)
    [one] = first["deployments"]
    assert (one["standing"]["state"], one["standing"]["open_pages"]) == ("page", 1)
    assert client.get(SHOP).json() == one


def test_windows_come_latest_first_in_bounded_pages(client: TestClient) -> None:
    pages = [client.get(f"{SHOP}/windows?limit=15").json()]
    while pages[-1]["next"] is not None:
        pages.append(client.get(f"{SHOP}/windows?limit=15&before={pages[-1]['next']}").json())
    starts = [one["start"] for page in pages for one in page["windows"]]
    assert starts == sorted(starts, reverse=True)
    assert (len(pages), len(set(starts))) == (3, 40)
    assert "scores" not in pages[0]["windows"][0]


@pytest.mark.parametrize("query", ["limit=0", f"limit={MOST + 1}", "limit=x", "before=x", "before=2013-05-01"])
def test_what_makes_no_sense_is_400_with_the_next_step(client: TestClient, query: str) -> None:
    answer = client.get(f"{SHOP}/windows?{query}")
    assert (answer.status_code, set(answer.json())) == (400, {"what", "got", "expected", "fix"})


@pytest.mark.parametrize("path", ["/x/1", "/shop/99", f"/shop/{10**30}", "/shop/1/incidents/99", "/shop/1/x"])
def test_what_is_not_there_is_404(client: TestClient, path: str) -> None:
    answer = client.get(f"/api/v1/deployments{path}")
    assert (answer.status_code, set(answer.json())) == (404, {"what", "got", "expected", "fix"})


def test_incidents_runs_and_one_incident(client: TestClient) -> None:
    listed = client.get(f"{SHOP}/incidents?limit=1").json()
    assert listed["next"] == listed["incidents"][0]["number"]
    [first] = client.get(f"{SHOP}/incidents?before={listed['next']}&state=all").json()["incidents"]
    assert client.get(f"{SHOP}/incidents/{first['number']}").json() == first
    assert client.get(f"{SHOP}/incidents?state=bad").status_code == 400
    assert client.get(f"{SHOP}/incidents?before=x").status_code == 400
    assert len(client.get(f"{SHOP}/runs?limit=1").json()["runs"]) == 1


def test_reads_need_the_token_where_there_is_one(stores: Stores) -> None:
    client = client_of(stores, TOKEN)
    assert client.get("/api/v1/deployments").status_code == 401
    assert client.get("/api/v1/deployments", headers=BEARER).status_code == 200


def test_changes_need_a_token_always(client: TestClient) -> None:
    answer = client.post(f"{SHOP}/incidents/1/acknowledge", json={"by": "ada"})
    assert (answer.status_code, answer.json()["fix"]) == (403, "Start it with --token-file, and send the token.")
    assert client.get(f"{SHOP}/incidents/1").json()["state"] == "open"


def test_an_incident_is_acted_on(stores: Stores) -> None:
    client = client_of(stores, TOKEN)
    client.headers.update(BEARER)
    place = f"{SHOP}/incidents/1"
    done = client.post(f"{place}/acknowledge", json={"by": "ada"})
    assert (done.status_code, done.json()["state"], done.json()["actions"][0]["by"]) == (200, "acknowledged", "ada")
    assert client.post(f"{place}/assign", json={"by": "ada", "text": "bob"}).json()["owner"] == "bob"
    asked = {"by": "ada", "until": "2099-01-01T00:00:00+02:00"}
    assert client.post(f"{place}/snooze", json=asked).json()["snoozed_until"] == "2098-12-31T22:00:00Z"
    assert client.post(f"{place}/note", json={"by": "ada", "text": "seen"}).status_code == 200
    assert client.post(f"{place}/close", json={"by": "ada", "text": "done"}).json()["state"] == "closed"
    assert client.post(f"{place}/close", json={"by": "ada"}).status_code == 400
    assert client.post(f"{place}/reopen", json={"by": "ada"}).json()["state"] == "acknowledged"
    assert client.get(place).json()["actions"][-1]["kind"] == "reopen"


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ({"origin": "https://evil.example"}, '{"by": "eve"}', 403),
        ({"sec-fetch-site": "cross-site"}, '{"by": "eve"}', 403),
        ({"content-type": "text/plain"}, '{"by": "eve"}', 415),
        ({}, "by=eve", 400),
        ({}, '{"by": ""}', 400),
        ({}, '{"by": "eve", "until": "2099-01-01T00:00:00"}', 400),
        ({}, '{"by": "eve", "level": "page"}', 400),
        ({}, '{"by": "' + "e" * 70_000 + '"}', 413),
        ({}, '{"by": "' + "e" * 300 + '"}', 400),
    ],
)
def test_what_does_not_fit_changes_nothing(stores: Stores, headers: dict[str, str], body: str, code: int) -> None:
    client = client_of(stores, TOKEN)
    sent = {"content-type": "application/json", **BEARER, **headers}
    assert client.post(f"{SHOP}/incidents/1/acknowledge", content=body, headers=sent).status_code == code
    assert client.get(f"{SHOP}/incidents/1", headers=BEARER).json()["actions"] == []


def test_a_path_has_one_method(stores: Stores) -> None:
    client = client_of(stores, TOKEN)
    assert client.get(f"{SHOP}/incidents/1/close", headers=BEARER).status_code == 405
