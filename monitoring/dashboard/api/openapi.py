"""The description of the HTTP API, OpenAPI 3.1, made of its operations and documents."""

from __future__ import annotations

import re
from typing import Any, Final

from pydantic.json_schema import JsonSchemaMode, models_json_schema

from monitoring.dashboard.api.operations import MOST, OPERATIONS, PAGE, Operation
from monitoring.dashboard.api.resources import ErrorDocument
from monitoring.documents.document import Document
from monitoring.documents.schemas import VERSION

PREFIX = "/api/v1"

_PATH: Final[dict[str, dict[str, Any]]] = {
    "store": {"description": "The store's name, as a deployment has it.", "schema": {"type": "string"}},
    "number": {"description": "The deployment's number.", "schema": {"type": "integer", "minimum": 1}},
    "incident": {"description": "The incident's number.", "schema": {"type": "integer", "minimum": 1}},
    "rollout": {"description": "The rollout's number.", "schema": {"type": "integer", "minimum": 1}},
}
_QUERY: Final[dict[str, dict[str, Any]]] = {
    "limit": {
        "description": "How many at most.",
        "schema": {"type": "integer", "minimum": 1, "maximum": MOST, "default": PAGE},
    },
    "after": {"description": "`next` of the page before.", "schema": {"type": "string"}},
    "before": {"description": "`next` of the page before.", "schema": {"type": "string"}},
    "state": {
        "description": "Which incidents: those not closed, or all.",
        "schema": {"type": "string", "enum": ["open", "all"], "default": "open"},
    },
}


def openapi_document() -> dict[str, Any]:
    """The description."""
    paths: dict[str, dict[str, Any]] = {}
    for one in OPERATIONS:
        paths.setdefault(f"{PREFIX}{one.path}", {})[one.method.lower()] = _operation(one)
    written: set[type[Document]] = {ErrorDocument, *(one.answer for one in OPERATIONS)}
    taken = {one.body for one in OPERATIONS if one.body is not None}
    models: list[tuple[type[Document], JsonSchemaMode]] = [
        *((model, "serialization") for model in sorted(written, key=lambda model: model.__name__)),
        *((model, "validation") for model in sorted(taken, key=lambda model: model.__name__)),
    ]
    _, schemas = models_json_schema(models, ref_template="#/components/schemas/{model}")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "pitfalls monitor",
            "version": str(VERSION),
            "description": "Deployments, windows, incidents and runs of the stores that `pitfalls monitor ui` shows. "
            "Reads are open where the dashboard listens on a loopback address without a token; changes need the token.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _operation(one: Operation) -> dict[str, Any]:
    named = re.findall(r"{(\w+)}", one.path)
    found: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.summary,
        "parameters": [
            *({"name": name, "in": "path", "required": True, **_PATH[name]} for name in named),
            *({"name": name, "in": "query", "required": False, **_QUERY[name]} for name in one.query),
        ],
        "responses": {
            "200": {"description": "The document.", "content": _json(one.answer)},
            "400": {"description": "A parameter or an action that does not fit.", "content": _json(ErrorDocument)},
            "401": {"description": "The token is missing."},
            "404": {"description": "It is not there.", "content": _json(ErrorDocument)},
            "503": {"description": "The store cannot be used.", "content": _json(ErrorDocument)},
        },
    }
    if one.takes is not None:
        found["responses"]["409"] = {
            "description": "A run is judging the deployment: ask again once it has ended.",
            "content": _json(ErrorDocument),
        }
    if one.body is not None:
        found["requestBody"] = {"required": True, "content": _json(one.body)}
        found["responses"]["403"] = {
            "description": "A dashboard without a token takes no changes; or another site asked for it.",
            "content": _json(ErrorDocument),
        }
    return found


def _json(model: type[Document]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}
