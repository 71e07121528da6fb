"""The description of the HTTP API, OpenAPI 3.1, made of its operations and documents."""

from __future__ import annotations

import re
from typing import Any, Final

from pydantic.json_schema import JsonSchemaMode, models_json_schema

from monitoring.dashboard.api.change_documents import ErrorDocument
from monitoring.dashboard.api.operations import MOST, OPERATIONS, PAGE, Operation
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
    for operation in OPERATIONS:
        paths.setdefault(f"{PREFIX}{operation.path}", {})[operation.method.lower()] = _operation(operation)
    written: set[type[Document]] = {ErrorDocument, *(operation.answer for operation in OPERATIONS)}
    bodies = {operation.body for operation in OPERATIONS if operation.body is not None}
    models: list[tuple[type[Document], JsonSchemaMode]] = [
        *((model, "serialization") for model in sorted(written, key=lambda model: model.__name__)),
        *((model, "validation") for model in sorted(bodies, key=lambda model: model.__name__)),
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
        "components": {"schemas": schemas["$defs"], "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{"token": []}],
    }


def _operation(operation: Operation) -> dict[str, Any]:
    named = re.findall(r"{(\w+)}", operation.path)
    document: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": [
            *({"name": name, "in": "path", "required": True, **_PATH[name]} for name in named),
            *({"name": name, "in": "query", "required": False, **_QUERY[name]} for name in operation.query),
        ],
        "responses": {
            "200": {"description": "The document.", "content": _json(operation.answer)},
            "400": {"description": "A parameter or an action that does not fit.", "content": _json(ErrorDocument)},
            "401": {"description": "The token is missing."},
            "404": {"description": "It is not there.", "content": _json(ErrorDocument)},
            "503": {"description": "The store cannot be used.", "content": _json(ErrorDocument)},
        },
    }
    if operation.takes is not None:
        document["responses"]["409"] = {
            "description": "A run is judging the deployment: ask again once it has ended.",
            "content": _json(ErrorDocument),
        }
    if operation.body is not None:
        document["requestBody"] = {"required": True, "content": _json(operation.body)}
        document["responses"]["403"] = {
            "description": "A dashboard without a token takes no changes; or another site asked for it.",
            "content": _json(ErrorDocument),
        }
    return document


def _json(model: type[Document]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}
