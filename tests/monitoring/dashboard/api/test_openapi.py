"""docs/reference/openapi.json is the description that the code gives; `REWRITE=1` writes it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from starlette.testclient import TestClient

from monitoring.dashboard.api.openapi import openapi_document
from monitoring.dashboard.api.operations import OPERATIONS
from monitoring.dashboard.stores.stores import Stores
from tests.monitoring.dashboard.api.test_application import client_of

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
