"""New baselines made on the dashboard of a table whose benign shift is to be the new normal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from monitoring.config import load_config
from monitoring.config.files import ConfigFile, read_files
from monitoring.dashboard.access.access import Access
from monitoring.dashboard.stores.named_store import named_stores
from monitoring.dashboard.stores.stores import Stores
from monitoring.dashboard.web.app import Changes, dashboard_app
from monitoring.runs.run import run_due_windows
from monitoring.store.store import Store
from tests.dashboard_access import access_with
from tests.own_table import own_rows, watch
from tests.small_deployment import LIVE, Days

JUDGED = 12
NOW = LIVE + timedelta(days=JUDGED, hours=7)
FORM = {
    "start": f"{LIVE:%Y-%m-%dT%H:%M}",
    "end": f"{LIVE + timedelta(days=JUDGED):%Y-%m-%dT%H:%M}",
    "reason": "new prices",
    "by": "ada",
    "sure": "yes",
}


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The config of a table that was judged for some days."""
    folder = tmp_path_factory.mktemp("judged")
    reference = own_rows(Days(days=40, start=LIVE - timedelta(days=60), seed=1))
    watched = watch(folder, reference, traffic="../live/*.parquet", slices=())
    watched.live("1.parquet", own_rows(Days(days=JUDGED, start=LIVE, seed=2)))
    path = watched.adopted.config
    found = load_config(path)
    with Store.open(found.store.url) as store:
        run_due_windows(found, store, clock=lambda: NOW)
    return path


@pytest.fixture(scope="module")
def client(config: Path) -> Iterator[TestClient]:
    files = read_files([config])
    with_pages = client_of(files)
    yield with_pages
    with_pages.close()


def client_of(files: tuple[ConfigFile, ...], reader: str = "") -> TestClient:
    stores = Stores(stores=named_stores(files), files=files, clock=lambda: NOW)
    access = access_with({"secret": "act", reader: "read"} if reader else {})
    return TestClient(dashboard_app(lambda: stores, access, Changes(stores.fingerprint)), follow_redirects=False)


def address(config: Path) -> str:
    return f"/d/{named_stores(read_files([config]))[0].name}/1/rebaseline"


def test_the_form_has_the_windows_judged_and_says_what_it_does(client: TestClient, config: Path) -> None:
    page = client.get(address(config)).text
    assert f'name="end" type="datetime-local" value="{FORM["end"]}"' in page
    assert "Make the new baseline" in page
    assert "live.js" not in page, "a form that is being filled in is not replaced"


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"sure": ""}, "It was not confirmed."),
        ({"reason": " "}, "A new baseline needs a reason."),
        ({"start": "tomorrow"}, "From is not a time."),
        ({"end": FORM["start"]}, "These are no windows to make a baseline of."),
        ({"undo": "yes"}, "There is no new baseline to undo."),
        ({"undo": "yes", "sure": ""}, "It was not confirmed."),
    ],
)
def test_what_cannot_be_done_is_said_on_the_page_and_the_form_is_kept(
    client: TestClient, config: Path, changed: dict[str, str], problem: str
) -> None:
    before = config.read_text()
    answer = client.post(address(config), data={**FORM, **changed})
    assert answer.status_code == 400
    assert problem in answer.text
    assert 'value="ada"' in answer.text
    assert config.read_text() == before


def test_windows_become_the_new_normal_and_the_former_baseline_comes_back(client: TestClient, config: Path) -> None:
    before = config.read_text()
    made = client.post(address(config), data=FORM)
    assert (made.status_code, made.headers["location"].split("?")[0]) == (303, address(config))
    page = client.get(address(config)).text
    assert "New baseline: " in page
    assert "by ada: new prices" in page
    assert "since = " in config.read_text()
    with Store.open(load_config(config).store.url) as store:
        (change,) = store.rebaselines.read(1)
    assert (change.by, change.reason, change.start) == ("ada", "new prices", LIVE)
    undone = client.post(address(config), data={"undo": "yes", "sure": "yes", "by": "eve"})
    assert undone.status_code == 303
    assert "The baseline is the former one again" in client.get(address(config)).text
    assert config.read_text() == before
    with Store.open(load_config(config).store.url) as store:
        assert [one.undone_by for one in store.rebaselines.read(1)] == ["eve"]


def test_a_reader_has_no_button_and_is_refused(config: Path) -> None:
    with client_of(read_files([config]), reader="look") as client:
        headers = {"authorization": "Bearer look"}
        assert "You are signed in to read" in client.get(address(config), headers=headers).text
        assert client.post(address(config), data=FORM, headers=headers).status_code == 403


def test_a_deployment_without_a_config_is_changed_where_its_config_is(stores: Stores) -> None:
    app = dashboard_app(lambda: stores, Access(names=frozenset({"testserver"})), Changes(stores.fingerprint))
    with TestClient(app) as client:
        page = client.get("/d/shop/1/rebaseline?incident=1").text
        assert "Use `pitfalls monitor rebaseline` where the config is." in page
        assert "Make the new baseline" not in page
        refused = client.post("/d/shop/1/rebaseline?incident=1", data=FORM)
        assert (refused.status_code, "does not have the config" in refused.text) == (400, True)
        assert client.get("/d/shop/1/rebaseline?incident=77").status_code == 404
