from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from monitoring.config.files import ConfigFile
from monitoring.dashboard.access.access import COOKIE, Access
from monitoring.dashboard.stores.stores import Stores
from monitoring.dashboard.web.app import Changes, dashboard_app
from tests.dashboard_access import access_with
from tests.dashboard_store import HOSTILE, make_store, stores_of

ACCESS = Access(names=frozenset({"testserver"}))
WINDOW = "/d/shop/1/windows/2013-05-01T00:00:00Z"
RUNS = "/d/shop/1/runs"
PAGES = (
    "/",
    "/?state=page&q=over",
    "/?group=model",
    "/?wall",
    "/d/shop/1",
    "/d/shop/1?windows=30",
    "/d/shop/1/incidents/1",
    "/d/shop/1/runs",
    "/d/shop/1/drills",
    "/jobs",
    "/jobs?failed=1",
    "/d/shop/1/compare",
    "/d/shop/1/compare?a=2013-05-01T00:00:00Z&b=2013-04-20T00:00:00Z",
    "/d/shop/1/inputs",
    "/d/shop/1/inputs?windows=30&q=t",
    "/d/shop/1/input?of=input:temp",
    WINDOW,
    f"{WINDOW}/drift",
    "/d/shop/1/outcomes",
)


def client_of(stores: Stores, access: Access = ACCESS) -> TestClient:
    return TestClient(dashboard_app(lambda: stores, access, Changes(stores.fingerprint)), follow_redirects=False)


@pytest.fixture
def client(stores: Stores) -> TestClient:
    return client_of(stores)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_html_within_its_policy(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert len(answer.content) < 300_000
    assert "<h1" in answer.text
    assert re.search(r"<title>[^<]+</title>", answer.text)


@pytest.mark.parametrize("path", PAGES)
def test_every_link_of_a_page_leads_somewhere(client: TestClient, path: str) -> None:
    links = {
        link.replace("&amp;", "&") for link in re.findall(r'(?:href|src|action)="(/[^"#]*)"', client.get(path).text)
    }
    assert len(links) > 3
    some = sorted(links - {"/live"}, key=lambda link: ("windows" in link, link))[:25]
    bad = {link: code for link in some if (code := client.get(link).status_code) not in (200, 405)}
    assert not bad


@pytest.mark.parametrize(
    ("path", "column", "rows"),
    [
        ("/tables/overview.csv", "name", 2),
        ("/d/shop/1/tables/windows.csv?windows=30", "Window", 30),
        ("/d/shop/1/tables/slices.csv", "Slice", 3),
        ("/d/shop/1/incidents/1/tables/rows.csv", "Prediction", 1),
        ("/d/shop/1/runs/tables/runs.csv", "Began", 2),
        (f"{WINDOW}/tables/scores.csv", "Watch", 15),
        ("/d/shop/1/runs/tables/notifications.csv", "At", 2),
        ("/d/shop/1/compare/tables/scores.csv?a=2013-05-01T00:00:00Z&b=baseline", "Watch", 15),
        ("/jobs/tables/runs.csv", "Deployment", 4),
        ("/jobs/tables/runs.csv?failed=1", "Deployment", 1),
        ("/jobs/tables/notifications.csv", "Deployment", 2),
        ("/d/shop/1/inputs/tables/inputs.csv", "Input", 3),
        ("/d/shop/1/inputs/tables/effect%3Ainput%3Atemp.csv?windows=30", "Window", 30),
        ("/d/shop/1/input/tables/missing%3Atemp.csv?of=input:temp&windows=30", "Window", 30),
    ],
)
def test_every_table_is_a_file_too(client: TestClient, path: str, column: str, rows: int) -> None:
    answer = client.get(path)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith("attachment")
    found = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(found) == rows
    assert next(iter(found[0])) == column
    parquet = client.get(path.replace(".csv", ".parquet"))
    assert parquet.headers["content-disposition"].endswith('.parquet"')
    table = pq.read_table(io.BytesIO(parquet.content))
    assert (table.num_rows, table.column_names[0]) == (rows, column)


@pytest.mark.parametrize(
    "path",
    [
        *("/none", "/d/none/1", "/d/shop/9", "/d/shop/99999999999999999999", "/d/shop/1/incidents/9", "/static/app.py"),
        *(
            "/d/shop/1/windows/2001-01-01T00:00:00Z",
            "/d/shop/1/windows/yesterday",
            "/d/shop/1/tables/none.csv",
            "/d/shop/1/tables/windows.txt",
        ),
        *("/d/shop/1/input?of=input:none", "/d/shop/1/input", "/d/shop/9/inputs"),
        *("/d/shop/1/compare?a=2001-01-01T00:00:00Z", "/d/shop/1/compare?b=yesterday", "/d/shop/9/compare"),
    ],
)
def test_what_is_not_there_is_a_page_that_says_so(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "There is no such" in answer.text


def test_an_incident_is_acknowledged_by_a_form_and_only_once(client: TestClient) -> None:
    page = "/d/shop/1/incidents/1"
    assert "Acknowledge</button>" in client.get(page).text
    answer = client.post(f"{page}/acknowledge")
    assert (answer.status_code, answer.headers["location"]) == (303, page)
    after = client.get(page).text
    assert "Acknowledge</button>" not in after
    assert "<b>acknowledged</b>" in after
    assert client.post(f"{page}/acknowledge").status_code == 303
    assert "(acknowledged)" in client.get("/").text


def test_every_action_is_a_form_and_is_logged_under_the_name_that_was_given(client: TestClient) -> None:
    page = "/d/shop/1/incidents/1"
    forms = {
        "snooze": {"by": "operator ü", "until": "worse"},
        "assign": {"owner": "team flights"},
        "note": {"note": "a <b>broken</b> feed " * 100},
        "close": {"why": "mended"},
        "reopen": {},
    }
    text = ""
    for kind, fields in forms.items():
        assert client.post(f"{page}/{kind}", data=fields).status_code == 303, kind
        text = client.get(page).text
        assert 'value="operator ü"' in text
        assert ("/reopen" in text) == (kind == "close")
        if kind == "assign":
            assert "snoozed until worse, owner team flights." in text
            assert "Snoozed incidents: 1<" in client.get("/").text
            assert "open, snoozed until worse, owner team flights<" in client.get("/d/shop/1").text
    assert "owner team flights." in text, "who reopens an incident ends its snooze"
    assert "Snoozed incidents" not in client.get("/").text
    assert "open, owner team flights<" in client.get("/d/shop/1").text
    rows = list(csv.DictReader(io.StringIO(client.get(f"{page}/tables/actions.csv").text)))
    assert [row["What"].partition(":")[0] for row in rows] == [
        *("reopened", "closed", "note", "assigned to team flights", "snoozed until worse")
    ]
    assert [row["Who"] for row in rows] == [*["dashboard"] * 4, "operator ü"]
    assert "<b>broken" not in text


def test_an_action_that_makes_no_sense_is_refused(client: TestClient) -> None:
    page = "/d/shop/1/incidents/1"
    for kind, fields in (("note", {}), ("snooze", {"until": "soon"}), ("reopen", {})):
        answer = client.post(f"{page}/{kind}", data=fields)
        assert (answer.status_code, "expected" in answer.text) == (400, True)
    assert client.post(f"{page}/dance").status_code == 404
    assert client.post(f"{page}/note", data={"note": "x" * 70_000}).status_code == 413


def test_a_form_of_another_site_changes_nothing(client: TestClient) -> None:
    page = "/d/shop/1/incidents/1"
    assert client.post(f"{page}/acknowledge", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert client.get(f"{page}/acknowledge").status_code == 405
    assert "Acknowledge</button>" in client.get(page).text


def test_signing_in_gives_a_cookie_that_no_script_can_read(stores: Stores) -> None:
    client = client_of(stores, access_with({"secret": "act"}))
    assert client.get("/", headers={"accept": "text/html"}).headers["location"] == "/sign-in"
    assert client.post("/sign-in", data={"token": "wrong"}).status_code == 403
    answer = client.post("/sign-in", data={"token": "secret"})
    assert answer.status_code == 303
    assert {"HttpOnly", "SameSite=lax"} <= {part.strip() for part in answer.headers["set-cookie"].split(";")}
    assert COOKIE in client.cookies
    assert client.get("/").status_code == 200
    assert client.post("/sign-in", content=b"x" * 5000).status_code == 415
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert client.post("/sign-in", content=b"x" * 5000, headers=form).status_code == 413


def test_each_sign_in_has_a_cookie_of_its_own_and_signing_out_ends_it(stores: Stores) -> None:
    access = access_with({"secret": "act"})
    client, cookies = client_of(stores, access), list[str]()

    def code_with(cookie: str) -> int:
        return int(client_of(stores, access).get("/", headers={"cookie": f"{COOKIE}={cookie}"}).status_code)

    for _ in range(2):
        assert client.post("/sign-in", data={"token": "secret"}).status_code == 303
        cookies.append(client.cookies[COOKIE])
    assert [code_with(cookie) for cookie in (*cookies, "another")] == [401, 200, 401]
    assert "Sign out" in client.get("/sign-in").text
    assert client.get("/sign-out").status_code == 405
    assert client.post("/sign-out").headers["location"] == "/sign-in"
    assert code_with(cookies[1]) == 401


def test_who_may_only_read_is_shown_no_buttons(stores: Stores) -> None:
    client = client_of(stores, access_with({"secret": "act", "reader": "read"}))
    assert client.post("/sign-in", data={"token": "reader"}).status_code == 303
    page = "/d/shop/1/incidents/1"
    assert "<form" not in client.get(page).text
    assert client.post(f"{page}/acknowledge").status_code == 403
    assert client.post("/sign-in", data={"token": "secret"}).status_code == 303
    assert "Acknowledge</button>" in client.get(page).text


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    stores = stores_of(
        make_store(tmp_path_factory.mktemp("hostile") / "p.db", label=HOSTILE, models=(HOSTILE, "parcels"))
    )
    yield client_of(stores)
    for named in stores.stores:
        named.close()


@pytest.mark.parametrize("path", PAGES)
def test_what_comes_from_traffic_is_escaped(hostile: TestClient, path: str) -> None:
    text = hostile.get(path.replace("q=over", "q=%3Cimg")).text
    assert "<img" not in text
    assert len(re.findall("<script", text)) == len(re.findall(r'<script src="/static/\w+.js" defer>', text)) > 0
    assert "&lt;img src=x" in text


def test_a_table_is_found_whatever_its_name(hostile: TestClient) -> None:
    page = "/d/shop/1/input?of=input:carrier"
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="([^"]*csv[^"]*)"', hostile.get(page).text)]
    assert any("script" in link for link in links)
    assert {hostile.get(link).status_code for link in links} == {200}


def test_a_store_that_goes_away_is_said_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "pitfalls.db"
    stores = stores_of(f"sqlite:///{path}")
    client = client_of(stores)
    assert "No window has been judged yet." in client.get("/").text
    assert client.get("/d/shop/1").status_code == 404
    make_store(path)
    assert client.get("/d/shop/1").status_code == 200
    stores.stores[0].close()


def test_metrics_need_the_token_and_health_does_not(stores: Stores, tmp_path: Path) -> None:
    guarded = client_of(stores, access_with({"a" * 32: "act"}))
    assert guarded.get("/metrics").status_code == 401
    answer = guarded.get("/metrics", headers={"authorization": f"Bearer {'a' * 32}"})
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/plain")
    assert "# TYPE pitfalls_deployment_state gauge" in answer.text
    assert [guarded.get(f"/health/{what}").text for what in ("live", "ready")] == ["ok\n", "ok\n"]
    broken = ConfigFile(path=tmp_path / "monitor.toml", config=None, problem="It is no TOML.")
    alone = client_of(replace(stores, stores=(), files=(broken,)))
    assert (alone.get("/health/ready").status_code, alone.get("/health/live").status_code) == (503, 200)
    failing = client_of(replace(stores, files=(broken,)))
    assert failing.get("/health/ready").text.startswith("ok\nunreadable: 1 (")  # the others are still shown
    assert "pitfalls_unreadable_configs 1.0" in failing.get("/metrics").text
