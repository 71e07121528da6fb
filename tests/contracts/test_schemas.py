"""What every producer writes fits the published schema of it: command line, HTTP API, routes, exports and Python.

`docs/reference/schema/` is what the code says (`make schemas` writes it), and each of its files has a producer here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import Result
from starlette.testclient import TestClient

from monitoring.documents.document import Document, SpanDocument
from monitoring.documents.incident import IncidentDocument
from monitoring.documents.schemas import SCHEMAS, VERSION, schema_text
from monitoring.documents.status import status_document
from monitoring.documents.window import WindowDocument
from monitoring.inspection.status import status
from monitoring.notifications.digest import Digest
from monitoring.notifications.notification import example_notification
from monitoring.notifications.routes.command import command_input
from monitoring.notifications.routes.receivers import pagerduty_request, webhook_request
from monitoring.reports.results_table import results_table
from monitoring.store import Store
from tests.dashboard_store import NOW, make_store, stores_of
from tests.monitoring.dashboard.api.test_application import client_of
from tests.monitoring.documents.test_status import full
from tests.monitoring.notifications.receivers import APRIL, DEPLOYMENT, OPENED, PAGE
from tests.small_deployment import CONFIG

FOLDER = Path("docs/reference/schema")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a config and a store of two deployments, of which one pages."""
    folder = tmp_path_factory.mktemp("schemas")
    make_store(folder / "pitfalls.db")
    (folder / "monitor.toml").write_text(CONFIG)
    return folder


@pytest.fixture(scope="module")
def api(place: Path) -> Iterator[TestClient]:
    stores = stores_of(f"sqlite:///{place / 'pitfalls.db'}")
    yield client_of(stores, "token-of-the-test")
    for named in stores.stores:
        named.close()


@pytest.fixture
def fits(root: Path) -> Callable[[str, Any], None]:
    """Fails where a document does not fit the published schema of that name; extra and missing keys do not fit."""

    def check(name: str, document: Any) -> None:
        schema = json.loads((root / FOLDER / f"{name}.json").read_text("utf-8"))
        jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(document)

    return check


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_published_schema_is_what_the_code_says(root: Path, name: str) -> None:
    text = (root / FOLDER / f"{name}.json").read_text("utf-8")
    assert text == schema_text(name), "write it again: make schemas"
    assert json.loads(text)["$id"].endswith(f":{VERSION}:{name}")


def test_every_published_file_has_a_schema_and_a_line_in_the_documentation(root: Path) -> None:
    assert {path.stem for path in (root / FOLDER).glob("*.json")} == set(SCHEMAS)
    page = (root / FOLDER / "README.md").read_text("utf-8")
    assert not [name for name in SCHEMAS if f"({name}.json)" not in page]


@pytest.mark.parametrize(
    ("name", "verb"),
    [
        ("status", ("status",)),
        ("incidents", ("incidents", "list", "--all")),
        ("incident", ("incidents", "show", "1")),
        ("incident", ("incidents", "note", "1", "seen")),
        ("runs", ("runs",)),
        ("window-states", ("windows",)),
        ("deployments", ("deployments",)),
    ],
)
def test_the_command_line_speaks_it(
    place: Path, pitfalls: Callable[..., Result], fits: Callable[[str, Any], None], name: str, verb: tuple[str, ...]
) -> None:
    of = () if verb == ("deployments",) else ("--deployment", "1")
    result = pitfalls("monitor", *verb, "--config", str(place / "monitor.toml"), *of, "--json")
    document = json.loads(result.stdout)
    fits(name, document)
    assert all(document.values()) or name in {"status", "incident", "incidents"}, "nothing was listed"


def test_a_drill_on_the_command_line_speaks_it(
    place: Path, pitfalls: Callable[..., Result], fits: Callable[[str, Any], None]
) -> None:
    listed = json.loads(pitfalls("drill", "list", "--config", str(place / "monitor.toml"), "--json").stdout)
    (drill,) = listed["drills"]
    fits("drill", drill)


@pytest.mark.parametrize(
    ("name", "path", "key"),
    [
        ("deployment", "", "deployments"),
        ("deployment", "/shop/1", None),
        ("windows", "/shop/1/windows", None),
        ("window", "/shop/1/windows", "windows"),
        ("window-states", "/shop/1/window-states", None),
        ("window-state", "/shop/1/window-states", "windows"),
        ("incidents", "/shop/1/incidents?state=all", None),
        ("incident", "/shop/1/incidents/1", None),
        ("runs", "/shop/1/runs", None),
        ("run", "/shop/1/runs", "runs"),
    ],
)
def test_the_http_api_speaks_it(
    api: TestClient, fits: Callable[[str, Any], None], name: str, path: str, key: str | None
) -> None:
    headers = {"authorization": "Bearer token-of-the-test"}
    document = api.get(f"/api/v1/deployments{path}", headers=headers).json()
    shown = [document] if key is None else document[key]
    assert shown
    for one in shown:
        fits(name, one)


def test_an_action_over_the_http_api_gives_an_incident(api: TestClient, fits: Callable[[str, Any], None]) -> None:
    headers = {"authorization": "Bearer token-of-the-test"}
    path = "/api/v1/deployments/shop/1/incidents/1/acknowledge"
    fits("incident", api.post(path, json={"by": "ada"}, headers=headers).json())


def test_the_same_incident_is_the_same_document_wherever_it_is_read(
    place: Path, api: TestClient, pitfalls: Callable[..., Result]
) -> None:
    config = ("--config", str(place / "monitor.toml"), "--deployment", "1", "--json")
    shown = json.loads(pitfalls("monitor", "incidents", "show", "1", *config).stdout)
    headers = {"authorization": "Bearer token-of-the-test"}
    assert api.get("/api/v1/deployments/shop/1/incidents/1", headers=headers).json() == shown
    listed = json.loads(pitfalls("monitor", "status", *config).stdout)["incidents"]
    assert next(one for one in listed if one["number"] == 1) == shown


def test_routes_speak_it(fits: Callable[[str, Any], None]) -> None:
    for message in (OPENED, example_notification(APRIL, DEPLOYMENT), example_notification(APRIL)):
        request = webhook_request(message, url="https://host/hook", secret=None, at=APRIL)
        fits("notification", json.loads(request.body))
    digest = Digest(event="e", events=9, incidents=(replace(PAGE, number=1), PAGE), deployment=DEPLOYMENT)
    fits("digest", json.loads(webhook_request(digest, url="https://host/hook", secret=None, at=APRIL).body))
    fits("notification", json.loads(command_input(OPENED, link=None)))
    fits(
        "notification",
        json.loads(pagerduty_request(OPENED, url="https://host", routing_key="k", link=None).body)["payload"][
            "custom_details"
        ],
    )


def test_estimates_and_every_optional_part_fit(place: Path, fits: Callable[[str, Any], None]) -> None:
    with Store.open(f"sqlite:///{place / 'pitfalls.db'}") as store:
        document = status_document(full(status(store, "flights", 1, now=NOW))).plain()
    fits("status", document)
    estimates = [estimate for window in document["windows"] for estimate in window["estimates"]]
    assert estimates
    fits("estimate", estimates[0])


def keys(model: type[Document], prefix: str = "") -> set[str]:
    """The keys of a document that are no lists, with those of the documents in it after an underscore."""
    plain: set[str] = set()
    for name, field in model.model_fields.items():
        kind = field.annotation
        if kind is SpanDocument or (isinstance(kind, type) and issubclass(kind, Document)):
            plain |= keys(kind, f"{prefix}{name}_")
        elif "list" not in str(kind) and "Document" not in str(kind):
            plain.add(f"{prefix}{name}")
    return plain


def test_exported_tables_have_the_keys_of_the_documents(place: Path) -> None:
    with Store.open(f"sqlite:///{place / 'pitfalls.db'}") as store:
        found = status(store, "flights", 1, now=NOW)
    deployment = {"model", "version"}
    assert set(results_table(found, "incidents").column_names) == keys(IncidentDocument) | deployment
    assert set(results_table(found, "windows").column_names) == keys(WindowDocument) | deployment | {"findings"}


def test_a_document_that_does_not_fit_would_be_noticed(fits: Callable[[str, Any], None]) -> None:
    body = OPENED.document.plain()
    for damaged in (
        {**body, "more": 1},
        {**body, "event": {"id": "x"}},
        {**body, "incident": {**body["incident"], "level": "alarm"}},
        {**body, "incident": {**body["incident"], "opened_at": "yesterday"}},
    ):
        with pytest.raises(jsonschema.ValidationError):
            fits("notification", damaged)
