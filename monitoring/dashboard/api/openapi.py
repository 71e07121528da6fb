"""The description of the HTTP API, OpenAPI 3.1, made of its operations and documents."""

from __future__ import annotations

import re
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from monitoring.dashboard.api.operations import MOST, OPERATIONS, PAGE, Operation
from monitoring.dashboard.api.resources import ErrorResource, Resource

PREFIX = "/api/v1"

_PATH: Final[dict[str, dict[str, Any]]] = {
    "store": {"description": "The store's name, as a deployment has it.", "schema": {"type": "string"}},
    "number": {"description": "The deployment's number.", "schema": {"type": "integer", "minimum": 1}},
    "incident": {"description": "The incident's number.", "schema": {"type": "integer", "minimum": 1}},
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
    """The description.

    Returns:
        A JSON document.
    """
    paths: dict[str, dict[str, Any]] = {}
    for one in OPERATIONS:
        paths.setdefault(f"{PREFIX}{one.path}", {})[one.method.lower()] = _operation(one)
    used: set[type[Resource]] = {ErrorResource}
    for one in OPERATIONS:
        used |= {one.answer} | ({one.body} if one.body is not None else set())
    models = sorted(used, key=lambda model: model.__name__)
    _, schemas = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "pitfalls monitor",
            "version": "1",
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
            "400": {"description": "A parameter or an action that does not fit.", "content": _json(ErrorResource)},
            "401": {"description": "The token is missing."},
            "404": {"description": "It is not there.", "content": _json(ErrorResource)},
            "503": {"description": "The store cannot be used.", "content": _json(ErrorResource)},
        },
    }
    if one.takes is not None:
        found["responses"]["409"] = {
            "description": "A run is judging the deployment: ask again once it has ended.",
            "content": _json(ErrorResource),
        }
    if one.body is not None:
        found["requestBody"] = {"required": True, "content": _json(one.body)}
        found["responses"]["403"] = {
            "description": "A dashboard without a token takes no changes; or another site asked for it.",
            "content": _json(ErrorResource),
        }
    return found


def _json(model: type[Resource]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}
