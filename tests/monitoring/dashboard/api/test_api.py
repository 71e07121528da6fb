"""Small files of monitoring.dashboard.api, each test named after what it is about."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient

from monitoring.dashboard.api.calls import ApiCalls, NotFound
from monitoring.dashboard.api.change_documents import ActionRequest, LabelRequest, error_document
from monitoring.dashboard.api.operations import OPERATIONS, openapi_document
from monitoring.dashboard.stores.named_store import NamedStore
from monitoring.dashboard.stores.stores import Stores
from monitoring.errors import BadInput
from monitoring.records import ActionKind
from tests.monitoring.dashboard.api.test_application import client_of


def test_a_store_that_cannot_be_read_is_a_failure_and_the_others_are_listed(stores: Stores) -> None:
    away = NamedStore(name="away", url="sqlite:////nowhere/at/all.db", files=())
    found = ApiCalls(stores=replace(stores, stores=(*stores.stores, away))).deployments(100, "")
    assert [one.store for one in found.failures] == ["away"]
    assert {one.store for one in found.deployments} == {source.name for source in stores.stores}


def test_a_page_begins_after_one_that_is_named(stores: Stores) -> None:
    calls = ApiCalls(stores=stores)
    with pytest.raises(BadInput, match="not the end of a page"):
        calls.deployments(1, "shop/x")
    assert calls.deployments(1, "zzz/1").deployments == []
    with pytest.raises(NotFound):
        calls.incident("shop", 1, 99)


def text_of(label: Any) -> str:
    document = {"prediction_id": "a:0", "label": label, "label_time": "2013-04-01T09:00:00+02:00"}
    return LabelRequest.model_validate(document).text


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("late", "late"),
        (3, "3"),
        (1.0, "1"),
        (0.25, "0.25"),
        (["a", "ü"], '["a","ü"]'),
        ([0, 1], "[0,1]"),
        ([], "[]"),
        ({"a": "x", "b": 2.0}, '{"a":"x","b":"2"}'),
    ],
)
def test_a_label_is_text_a_number_or_several_names(label: Any, text: str) -> None:
    assert text_of(label) == text


@pytest.mark.parametrize("label", ["", True, None, {}, [2], ["a", 1], float("nan"), "x" * 2_000, {"a": "x" * 1_020}])
def test_anything_else_is_refused(label: Any) -> None:
    with pytest.raises(ValidationError):
        text_of(label)


FILE = Path(__file__).parents[4] / "docs" / "reference" / "openapi.json"


def test_the_file_is_what_the_api_says_of_itself(stores: Stores) -> None:
    if os.environ.get("REWRITE"):
        FILE.write_text(json.dumps(openapi_document(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    client: TestClient = client_of(stores)
    assert json.loads(FILE.read_text(encoding="utf-8")) == client.get("/api/v1/openapi.json").json()


def test_every_reference_leads_to_a_schema_and_every_name_is_once() -> None:
    document = openapi_document()
    text = json.dumps(document)
    used = {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert used <= set(document["components"]["schemas"])
    names = [one.name for one in OPERATIONS]
    assert len(set(names)) == len(names)
    assert sum(len(path) for path in document["paths"].values()) == len(OPERATIONS)


def test_every_action_is_an_operation_that_takes_a_document_and_reads_take_none() -> None:
    acting = [one for one in OPERATIONS if one.action is not None]
    assert {one.action for one in acting} == set(get_args(ActionKind)) - {
        "run"
    }  # an action of the config takes its name
    assert {(one.method, one.body) for one in acting} == {("POST", ActionRequest)}
    reading = [one for one in OPERATIONS if one.action is None and one.takes is None]
    assert {(one.method, one.body) for one in reading} == {("GET", None)}
    changing = [one for one in OPERATIONS if one.takes is not None]
    assert {one.name for one in changing} == {"backfill", "rebaseline", "undo-rebaseline", "labels", "run-action"}
    assert all((one.method, one.body) == ("POST", one.takes) for one in changing)


def test_an_error_keeps_its_parts() -> None:
    error = error_document(BadInput("No.", got="a", expected="b", fix="Do."))
    assert error.plain() == {"what": "No.", "got": "a", "expected": "b", "fix": "Do."}
