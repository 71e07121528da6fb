"""The operations of the HTTP API: path, method, parameters and documents of each, once for routes and description."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from monitoring.dashboard.api.change_documents import (
    ActionOutcomeDocument,
    ActionRequest,
    DeploymentPageDocument,
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
from monitoring.documents.window import WindowsDocument, WindowStatesDocument
from monitoring.jobs.backfill import BackfillDocument
from monitoring.jobs.rebaseline import NewBaselineDocument, UndoneBaselineDocument
from monitoring.records import ActionKind

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
