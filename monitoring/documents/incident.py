"""The schema of an incident."""

from __future__ import annotations

import math
from itertools import groupby
from typing import Literal

from monitoring.documents.deployment import DeploymentDocument
from monitoring.documents.document import Document, Moment, SpanDocument, span
from monitoring.records import ActionKind, IncidentRecord, IncidentState, Level, SlicePart
from monitoring.reports.sections.formatting import finite_evidence


class EventDocument(Document):
    """A state that an incident entered."""

    at: Moment
    state: IncidentState


class ActionDocument(Document):
    """Something that a person did with an incident; `until` is when a snooze ends, null for no fixed time."""

    at: Moment
    by: str
    kind: ActionKind
    text: str
    until: Moment | None
    until_worse: bool


class SplitDocument(Document):
    """The change of a loss: that of the expected loss (`difficulty`), and that of the surprise."""

    metric: str
    change: float
    difficulty: float
    surprise: float


class PartDocument(Document):
    """One slice's part in a change: by its share of the rows (`mix`), and by its own loss."""

    slice: str
    mix: float
    loss: float


class DecompositionDocument(Document):
    """The change of a metric over labelled rows by the slices of one column; the parts add up to `change`."""

    metric: str
    column: str
    change: float
    parts: list[PartDocument]


class InputDriftDocument(Document):
    """An input that drifted, the evidence of it, and the part of the loss's rise that it explains, if that is known."""

    input: str
    evidence: float
    explained: float | None
    change: float | None


class RowDocument(Document):
    """A row to look at first, and its score in the unit of the incident's watch."""

    prediction_id: str
    event_time: Moment
    score: float


class ConditionDocument(Document):
    """A condition on one input: a value, and `<`, `≥`, `=` or `≠`."""

    input: str
    sign: str
    value: float | str


class SubgroupDocument(Document):
    """A subgroup that rose more than the other rows, in the unit of a watch; `rows` are those that measured it."""

    conditions: list[ConditionDocument]
    watch: str
    rows: int
    rise: float
    others: float
    p_value: float


class IncidentDocument(Document):
    """An incident: what opened it, its states, and what people did with it; times that have not come are null.

    `number` counts from 1 within its deployment, and `previous` is the number of the last closed incident on the same
    watch and slice. `window` is the window that opened it. A snooze without a time ends when the incident becomes worse
    (`snoozed_until_worse`). `decomposition`, `inputs`, `rows`, `split` and `subgroup` are the cause in numbers, as far
    as its watch has any.
    """

    number: int
    level: Level
    state: IncidentState
    opened_at: Moment
    acknowledged_at: Moment | None
    closed_at: Moment | None
    window: SpanDocument
    watch: str
    slice: str
    cause: str
    message: str
    previous: int | None
    owner: str | None
    snoozed_until: Moment | None
    snoozed_until_worse: bool
    history: list[EventDocument]
    actions: list[ActionDocument]
    split: SplitDocument | None
    decomposition: list[DecompositionDocument]
    inputs: list[InputDriftDocument]
    rows: list[RowDocument]
    subgroup: SubgroupDocument | None

    def without_rows(self) -> IncidentDocument:
        """The same for those who may see no rows of the traffic."""
        return self.model_copy(update={"rows": []})


class IncidentsDocument(Document):
    """Incidents; `next` is the `before` of the next page of a list that has pages, null on the last."""

    incidents: list[IncidentDocument]
    next: int | None = None

    def without_rows(self) -> IncidentsDocument:
        """The same for those who may see no rows of the traffic."""
        return self.model_copy(update={"incidents": [incident.without_rows() for incident in self.incidents]})


def incident_document(incident: IncidentRecord) -> IncidentDocument:
    """An incident as a document."""
    detail = incident.detail
    return IncidentDocument.of(
        incident,
        window=span(incident.window_start, incident.window_end),
        owner=incident.owner or None,
        split=detail.split,
        decomposition=[
            _decomposition(list(parts))
            for _, parts in groupby(detail.parts, key=lambda part: (part.metric, part.column))
        ],
        inputs=[InputDriftDocument.of(drift, evidence=finite_evidence(drift.log_evidence)) for drift in detail.inputs],
        rows=detail.rows,
        subgroup=detail.subgroup,
    )


def _decomposition(parts: list[SlicePart]) -> DecompositionDocument:
    change = math.fsum(number for part in parts for number in (part.mix, part.loss))
    return DecompositionDocument.of(parts[0], change=change, parts=parts)


class NotificationEventDocument(Document):
    """What is notified: an incident that entered a state, a test of the route, or what happened in a rollout.

    `id` stays the same when the notification is sent again, and no other event of the store has it: a receiver that
    must not act twice keeps it.
    """

    id: str
    kind: Literal["incident", "test", "rollout"]
    state: IncidentState


class TogetherDocument(Document):
    """Another deployment of the team that was paged within the same hours, and its incident."""

    deployment: DeploymentDocument
    incident: IncidentDocument


class NotificationDocument(Document):
    """The body of a webhook: an event, its deployment, and the incident as it is when the notification is sent.

    `together` has the other deployments of a team whose pages the notification stands for; mostly it is empty.
    """

    event: NotificationEventDocument
    deployment: DeploymentDocument
    incident: IncidentDocument
    together: list[TogetherDocument]


class DigestEventDocument(Document):
    """A digest in the place of so many events of the past, with an id as that of any other event."""

    id: str
    kind: Literal["digest"]
    events: int


class DigestDocument(Document):
    """The body of a webhook that stands for many events of one deployment; `message` is their list in words."""

    event: DigestEventDocument
    deployment: DeploymentDocument
    incidents: list[IncidentDocument]
    message: str
