from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from monitoring.config.files import ConfigFile
from monitoring.dashboard.access.access import Access
from monitoring.dashboard.incident import outcomes
from monitoring.dashboard.stores.named_store import NamedStore
from monitoring.dashboard.stores.stores import Stores
from monitoring.dashboard.web.app import Changes, dashboard_app
from monitoring.inspection.outcomes import read_outcomes
from tests.dashboard_access import access_with
from tests.dashboard_store import NOW, described_stores
from tests.monitoring.config.configs import LEAST, load

PAGE = "/d/shop/1/incidents/1"
SECRET = access_with({"secret": "act", "reader": "read"})


@pytest.fixture
def stores(url: str, tmp_path: Path) -> Stores:
    """The store of a config with an action."""
    command = json.dumps([sys.executable, "-S", "-c", "print('stopped <b>')"])
    config = load(tmp_path, f'{LEAST}[[action]]\nname = "Stop <orders>"\nkind = "command"\ncommand = {command}\n')
    file = ConfigFile(path=tmp_path / "monitor.toml", config=config)
    return Stores(stores=(NamedStore(name="shop", url=url, files=(file,)),), files=(file,), clock=lambda: NOW)


def client_of(stores: Stores, access: Access, token: str = "") -> TestClient:
    client = TestClient(dashboard_app(lambda: stores, access, Changes(stores.fingerprint)), follow_redirects=False)
    client.headers.update({"authorization": f"Bearer {token}"} if token else {})
    return client


def test_an_action_runs_once_it_is_confirmed_and_its_outcome_is_on_the_page(stores: Stores) -> None:
    client = client_of(stores, SECRET, "secret")
    assert "<button>Stop &lt;orders&gt;</button>" in client.get(PAGE).text
    form = {"name": "Stop <orders>", "by": "ada"}
    assert client.post(f"{PAGE}/run", data=form).status_code == 400
    assert "Stop &lt;orders&gt;: begun" not in client.get(PAGE).text
    answer = client.post(f"{PAGE}/run", data={**form, "sure": "yes"})
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    page = client.get(PAGE).text
    assert "ran: Stop &lt;orders&gt;: done. It said: stopped &lt;b&gt;" in page
    assert page.index("Actions</h2>") < page.index("done. It said")
    assert client.post(f"{PAGE}/run", data={"name": "Other", "sure": "yes"}).status_code == 400


def test_who_may_not_act_runs_nothing(stores: Stores) -> None:
    sure = {"name": "Stop <orders>", "sure": "yes"}
    reader = client_of(stores, SECRET, "reader")
    assert "Stop &lt;orders&gt;" not in reader.get(PAGE).text
    assert reader.post(f"{PAGE}/run", data=sure).status_code == 403
    anybody = client_of(stores, access_with({}))
    assert "where it is started with --token-file" in anybody.get(PAGE).text
    assert "<button>Stop &lt;orders&gt;" not in anybody.get(PAGE).text
    assert anybody.post(f"{PAGE}/run", data=sure).status_code == 403
    assert "Stop" not in "".join(one.text for one in stores.stores[0].store().incidents.get(1, 1).actions)


def test_without_an_action_in_the_config_there_is_none(url: str) -> None:
    stores = Stores(stores=(NamedStore(name="shop", url=url, files=()),), clock=lambda: NOW)
    client = client_of(stores, SECRET, "secret")
    assert "Act on the server" not in client.get(PAGE).text
    assert client.post(f"{PAGE}/run", data={"name": "x", "sure": "yes"}).status_code == 400


HOSTILE = "<script>document.title = 'broken out'</script>"


def test_rows_are_read_from_the_traffic_and_escaped(tmp_path: Path) -> None:
    client = client_of(described_stores(tmp_path, comments=(HOSTILE,)), access_with({}))
    assert 'href="/d/shop/1/incidents/1/rows"' in client.get(PAGE).text
    answer = client.get(f"{PAGE}/rows")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "img-src 'self' data:;" in policy
    assert "unsafe" not in policy
    assert len(answer.content) < 300_000
    assert HOSTILE not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert answer.text.count('src="data:image/png;base64,') == 14
    csv = client.get(f"{PAGE}/rows/tables/worst.csv").text
    assert csv.splitlines()[0] == "Prediction,Event time,Answer,Label,Score,weight,comment"
    since, subgroups = (client.get(f"{PAGE}/{page}").text for page in ("outcomes", "subgroups"))
    assert "Confusion matrix of all traffic" in since
    assert "Subgroups in which the model got worse" in subgroups
    page = client.get("/d/shop/1/outcomes?windows=90").text
    assert "Confusion matrix of all traffic" in page
    counts = client.get("/d/shop/1/outcomes/tables/confusion-counts.csv").text.splitlines()
    assert sum(int(line.rsplit(",", 1)[1]) for line in counts[1:]) == 30
    assert "data:" not in client.get(PAGE).headers["content-security-policy"]


def test_without_a_config_the_page_of_rows_says_so(url: str) -> None:
    client = client_of(
        Stores(stores=(NamedStore(name="shop", url=url, files=()),), clock=lambda: NOW), SECRET, "secret"
    )
    for path in (f"{PAGE}/rows", f"{PAGE}/outcomes", f"{PAGE}/subgroups", "/d/shop/1/outcomes"):
        assert "does not have the config of this deployment" in client.get(path).text


def test_an_action_runs_over_the_api_with_a_row_for_its_beginning_and_its_end(stores: Stores) -> None:
    path, asked = "/api/v1/deployments/shop/1/incidents/1/run", {"by": "ada", "name": "Stop <orders>"}
    client = client_of(stores, SECRET, "secret")
    answer = client.post(path, json=asked)
    assert answer.status_code == 200
    found = answer.json()
    assert (found["done"], found["outcome"]) == (True, "done. It said: stopped <b>")
    log = [(one["by"], one["kind"]) for one in found["incident"]["actions"]]
    assert log == [("ada", "run"), ("ada", "run")]
    assert client.post(path, json={**asked, "name": "other"}).status_code == 400
    assert client.post(path.replace("/1/run", "/99/run"), json=asked).status_code == 404
    assert client_of(stores, SECRET, "reader").post(path, json=asked).status_code == 403
    assert client_of(stores, access_with({})).post(path, json=asked).status_code == 403


def test_rows_of_the_traffic_are_for_those_who_may_see_them(tmp_path: Path) -> None:
    access = access_with({"secret": "act", "reader": "read", "analyst": "rows"})
    stores = described_stores(tmp_path)
    for token, code in (("reader", 403), ("analyst", 200), ("secret", 200)):
        client = client_of(stores, access, token)
        answers = [client.get(f"{PAGE}/rows"), client.get(f"{PAGE}/rows/tables/typical.csv")]
        assert [one.status_code for one in answers] == [code, code], token
        assert ("See its rows" in client.get(PAGE).text) == (code == 200)
    assert client_of(stores, access, "analyst").post(f"{PAGE}/acknowledge").status_code == 403
    assert "read rows" in client_of(stores, access, "reader").get(f"{PAGE}/rows").text


def test_who_may_not_see_rows_sees_none_of_them_anywhere(stores: Stores) -> None:
    reader, analyst = (
        client_of(stores, access_with({"secret": "act", "reader": "read", "analyst": "rows"}), token)
        for token in ("reader", "analyst")
    )
    ids = [one.prediction_id for one in stores.stores[0].store().incidents.get(1, 1).detail.rows]
    assert ids
    assert all(name in analyst.get(PAGE).text for name in ids)
    assert ids[0] in analyst.get(f"{PAGE}/tables/rows.csv").text
    for file in ("rows.csv", "rows.parquet"):
        assert reader.get(f"{PAGE}/tables/{file}").status_code == 404
    tables = re.findall(r'href="(/d/[^"]+\.csv[^"]*)"', reader.get(PAGE).text)
    api = "/api/v1/deployments/shop/1"
    paths = [
        *("/", PAGE, "/jobs", "/metrics", "/d/shop/1", "/d/shop/1/runs", "/d/shop/1/outcomes", "/d/shop/1/inputs"),
        *(f"{PAGE}/outcomes", f"{PAGE}/subgroups"),
        *("/d/shop/1/windows/2013-05-01T00:00:00Z", "/d/shop/1/compare", "/d/shop/1/drills"),
        *(api, f"{api}/incidents", f"{api}/incidents?state=all", f"{api}/incidents/1", f"{api}/windows", f"{api}/runs"),
        *(f"{api}/label-requests", f"{api}/window-states"),
        *(link.replace("&amp;", "&") for link in tables),
    ]
    for path in paths:
        answer = reader.get(path)
        assert answer.status_code == 200, path
        assert not [name for name in ids if name in answer.text], path


def test_outcomes_are_read_once_for_many_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = list[int]()

    def counted(*arguments: Any) -> Any:
        reads.append(1)
        return read_outcomes(*arguments)

    monkeypatch.setattr(outcomes, "read_outcomes", counted)
    client = client_of(described_stores(tmp_path), access_with({}))
    pages = [client.get("/d/shop/1/outcomes").text for _ in range(3)]
    assert len(set(pages)) == 1
    assert len(reads) == 1
    client.get("/d/shop/1/outcomes/tables/residuals.csv")
    assert len(reads) == 1
