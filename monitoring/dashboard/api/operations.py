"""The operations of the HTTP API: path, method, parameters and documents of each, once for routes and description."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic.json_schema import JsonSchemaMode, models_json_schema

from monitoring.dashboard.api.change_documents import (
    ActionOutcomeDocument,
    ActionRequest,
    DeploymentPageDocument,
    ErrorDocument,
    LabelRequestsDocument,
    LabelsDocument,
    LabelsRequest,
    NewNormalRequest,
    RangeRequest,
    RunActionRequest,
    UndoRequest,
)
from monitoring.documents.deployment import DeploymentDocument, RunsDocument
from monitoring.documents.document import Document
from monitoring.documents.incident import IncidentDocument, IncidentsDocument
from monitoring.documents.rollout import RolloutDocument, RolloutsDocument
from monitoring.documents.schemas import VERSION
from monitoring.documents.window import WindowsDocument, WindowStatesDocument
from monitoring.onboarding.rebaseline import NewBaselineDocument, UndoneBaselineDocument
from monitoring.records import ActionKind
from monitoring.runs.backfill import BackfillDocument

#: How many rows a page has, unless `limit` says so, and at most.
PAGE = 100
MOST = 1000

_DEPLOYMENT = "/deployments/{store}/{number}"
_INCIDENT = f"{_DEPLOYMENT}/incidents/{{incident}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation.

    Attributes:
        path: Its path below `/api/v1`.
        action: What is done with an incident; None: nothing.
        takes: The document that another change takes; None: it is an action, or reads.
    """

    name: str
    path: str
    summary: str
    answer: type[Document]
    query: tuple[Literal["limit", "after", "before", "state"], ...] = ()
    action: ActionKind | None = None
    takes: type[Document] | None = None

    @property
    def method(self) -> Literal["GET", "POST"]:
        """GET to read, POST to change."""
        return "GET" if self.body is None else "POST"

    @property
    def body(self) -> type[Document] | None:
        """The document that it takes; None: none, it reads."""
        return self.takes if self.action is None else ActionRequest


_ACTIONS: Final[dict[ActionKind, str]] = {
    "acknowledge": "Acknowledge an incident.",
    "snooze": "Notify nobody of an incident until a time, or until it becomes worse.",
    "assign": "Give an incident an owner; an empty text: nobody.",
    "note": "Add a note to an incident.",
    "close": "Close an incident, with a reason.",
    "reopen": "Open an incident again that a person closed, before the next window is judged.",
}

OPERATIONS: Final[tuple[Operation, ...]] = (
    Operation(
        name="deployments",
        path="/deployments",
        summary="List the deployments in use: of each name the one that was run last.",
        answer=DeploymentPageDocument,
        query=("limit", "after"),
    ),
    Operation(name="deployment", path=_DEPLOYMENT, summary="Read a deployment.", answer=DeploymentDocument),
    Operation(
        name="windows",
        path=f"{_DEPLOYMENT}/windows",
        summary="List the windows of a deployment, the latest first.",
        answer=WindowsDocument,
        query=("limit", "before"),
    ),
    Operation(
        name="incidents",
        path=f"{_DEPLOYMENT}/incidents",
        summary="List the incidents of a deployment, the latest first.",
        answer=IncidentsDocument,
        query=("limit", "before", "state"),
    ),
    Operation(name="incident", path=_INCIDENT, summary="Read an incident.", answer=IncidentDocument),
    Operation(
        name="runs",
        path=f"{_DEPLOYMENT}/runs",
        summary="List the last runs of a deployment, the newest first.",
        answer=RunsDocument,
        query=("limit",),
    ),
    Operation(
        name="rollouts",
        path=f"{_DEPLOYMENT}/rollouts",
        summary="List the last rollouts of a deployment, the newest first.",
        answer=RolloutsDocument,
        query=("limit",),
    ),
    Operation(
        name="rollout",
        path=f"{_DEPLOYMENT}/rollouts/{{rollout}}",
        summary="Read a rollout: what is known of a candidate version, what was promised, and what happened.",
        answer=RolloutDocument,
    ),
    Operation(
        name="window-states",
        path=f"{_DEPLOYMENT}/window-states",
        summary="List the last windows with their states, in order of time: judged ones with attempts and revisions, "
        "then those that are due, with why they are not judged.",
        answer=WindowStatesDocument,
        query=("limit",),
    ),
    Operation(
        name="backfill",
        path=f"{_DEPLOYMENT}/backfill",
        summary="Judge the windows of a range, late or again; answered when it is done, or stopped with the service: "
        "the same request goes on.",
        answer=BackfillDocument,
        takes=RangeRequest,
    ),
    Operation(
        name="rebaseline",
        path=f"{_DEPLOYMENT}/rebaseline",
        summary="Make windows of the traffic the new normal.",
        answer=NewBaselineDocument,
        takes=NewNormalRequest,
    ),
    Operation(
        name="undo-rebaseline",
        path=f"{_DEPLOYMENT}/rebaseline/undo",
        summary="Go back to the baseline before the last re-baseline, with its evidence.",
        answer=UndoneBaselineDocument,
        takes=UndoRequest,
    ),
    Operation(
        name="labels",
        path=f"{_DEPLOYMENT}/labels",
        summary="Add labels to the traffic log of a deployment: all of them, or none.",
        answer=LabelsDocument,
        takes=LabelsRequest,
    ),
    Operation(
        name="label-requests",
        path=f"{_DEPLOYMENT}/label-requests",
        summary="List the last requests that added labels: who sent how many, and when; the newest first.",
        answer=LabelRequestsDocument,
        query=("limit",),
    ),
    Operation(
        name="run-action",
        path=f"{_INCIDENT}/run",
        summary="Perform an [[action]] of the config from an incident; both its beginning and its outcome are in the "
        "incident's log.",
        answer=ActionOutcomeDocument,
        takes=RunActionRequest,
    ),
    *(
        Operation(name=kind, path=f"{_INCIDENT}/{kind}", summary=summary, answer=IncidentDocument, action=kind)
        for kind, summary in _ACTIONS.items()
    ),
)


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
