"""The schema of an incident."""

from __future__ import annotations

import math
from itertools import groupby
from typing import Literal

from monitoring.documents.deployment import DeploymentDocument
from monitoring.documents.document import Document, Moment, SpanDocument, span
from monitoring.evidence.budget import finite_evidence
from monitoring.records import (
    ActionKind,
    AlarmCause,
    AlarmEvidence,
    Diagnosis,
    FactCause,
    IncidentRecord,
    IncidentState,
    LegacyCause,
    Level,
    Reassessment,
    SlicePart,
)
from monitoring.sentences.incident_text import IncidentText, incident_text
from monitoring.watches.descriptions import unit_of


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


class RelationRatesDocument(Document):
    """Labelled rows: how many, the mean of their labels, and the mean of what the model says of them."""

    rows: int
    label: float
    predicted: float


class RelationPlaceDocument(Document):
    """Some rows in the baseline and since the onset."""

    before: RelationRatesDocument
    since: RelationRatesDocument


class RelationPointDocument(Document):
    """Rows with one value of the first input: a category, or a number from one bound on to the next; null: others."""

    value: float | str | None
    place: RelationPlaceDocument


class RelationDocument(Document):
    """How the relation of inputs and label changed: of the share of a class (`output`), or of a number.

    `inputs` are those whose effect on the label changed, and `conditions` where it changed most; without any it changed
    alike everywhere, and `slopes` are how much labels rise with the answers, before and since, where that changed.
    `inside` are the rows that meet the conditions, `elsewhere` the others; `error` is the standard error of the change
    inside, and `is_elsewhere` whether the others changed too. With `of_errors` labels and answers are how often the
    likelier of the class and all others was wrong, and was to be expected to be.
    """

    output: str
    is_share: bool
    of_errors: bool
    inputs: list[str]
    conditions: list[ConditionDocument]
    inside: RelationPlaceDocument
    elsewhere: RelationPlaceDocument | None
    error: float
    slopes: tuple[float, float] | None
    is_elsewhere: bool
    p_value: float
    points: list[RelationPointDocument]


class MetricChangeDocument(Document):
    """How far a watch has moved over `rows` rows: from what the baseline expects of it to what it is now.

    A `share` is from 0 to 1; what is in `target` has the unit of what is predicted.
    """

    watch: str
    slice: str
    unit: Literal["share", "score", "target"]
    before: float
    now: float
    rows: int


class AlarmEvidenceDocument(Document):
    """How sure an alarm is: its evidence, the threshold, and the share of its watch in it, from 0 to 1."""

    level: Level
    evidence: float
    threshold: float
    share: float


class MovedInputDocument(Document):
    """An input that moved, and the part of the loss's rise that it explains; null where that is not known."""

    input: str
    explained: float | None
    explains: bool


class AssessmentDocument(Document):
    """What was known of a cause after a later window, or its batch."""

    window: Moment
    batch: str | None
    changes: list[MetricChangeDocument]
    inputs: list[MovedInputDocument]


class DiagnosisDocument(Document):
    """What is known of a cause at one time: the opening of an incident, or when it became worse.

    `kind` says what opened it: an `alarm` of a watch, a `fact` of a window, a search that found a `subgroup`; or
    `legacy`, in stores from before causes had parts, where `text` is all there is. `fact` is the kind of the fact and
    `subjects` what it is true of. `reason` is why an alarm of the page level is a notice. `step` is the kind of the
    next step. `assessed_again` is what was known later.
    """

    at: Moment
    kind: Literal["alarm", "fact", "subgroup", "legacy"]
    fact: str | None
    subjects: list[str]
    reason: str | None
    watch: str | None
    slice: str | None
    since: Moment | None
    batch: str | None
    changes: list[MetricChangeDocument]
    inputs: list[MovedInputDocument]
    evidence: AlarmEvidenceDocument | None
    step: str | None
    assessed_again: AssessmentDocument | None


class IncidentDocument(Document):
    """An incident: what opened it, its states, and what people did with it; times that have not come are null.

    `number` counts from 1 within its deployment, and `previous` is the number of the last closed incident on the same
    watch and slice; `consequence_of` is the number of the incident that it follows from. `diagnoses` is its cause in
    parts, at its opening and each time that it became worse; `cause`, `message` and `next_step` are made of them, for
    people: no program should read them. `window` is the window that opened it. A snooze without a time ends when the
    incident becomes worse (`snoozed_until_worse`). `decomposition`, `inputs`, `rows`, `split`, `subgroup`
    and `relation` are the cause in numbers, as far as they are known.
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
    next_step: str | None
    diagnoses: list[DiagnosisDocument]
    previous: int | None
    consequence_of: int | None
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
    relation: RelationDocument | None

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


def incident_document(incident: IncidentRecord, said: IncidentText | None = None) -> IncidentDocument:
    """An incident as a document.

    Args:
        said: What it says, where that is not made of its parts.
    """
    detail, said = incident.detail, said or incident_text(incident)
    return IncidentDocument.of(
        incident,
        window=span(incident.window_start, incident.window_end),
        cause=said.cause,
        message=said.message,
        next_step=said.step or None,
        diagnoses=[_diagnosis(diagnosis) for diagnosis in incident.diagnoses],
        owner=incident.owner or None,
        split=detail.split,
        decomposition=[
            _decomposition(list(parts))
            for _, parts in groupby(detail.parts, key=lambda part: (part.metric, part.column))
        ],
        inputs=[InputDriftDocument.of(drift, evidence=finite_evidence(drift.log_evidence)) for drift in detail.inputs],
        rows=detail.rows,
        subgroup=detail.subgroup,
        relation=detail.relation,
    )


def _diagnosis(diagnosis: Diagnosis) -> DiagnosisDocument:
    cause = diagnosis.cause
    alarm = cause if isinstance(cause, AlarmCause) else None
    fact = cause if isinstance(cause, FactCause | LegacyCause) else None
    told = alarm or (None if fact is None else fact.evidence)
    return DiagnosisDocument(
        at=diagnosis.at,
        kind=cause.kind,
        fact=fact.fact or None if fact is not None else None,
        subjects=list(fact.subjects) if fact is not None else [],
        reason=None if alarm is None or alarm.reason is None else alarm.reason.kind,
        watch=None if told is None else told.key.watch,
        slice=None if told is None else told.key.slice,
        since=None if told is None else told.since.start,
        batch=None if told is None else told.since.batch,
        changes=[] if told is None else _changes(told),
        inputs=[] if told is None else [MovedInputDocument.of(moved) for moved in told.inputs],
        evidence=None if told is None else _evidence(told.evidence),
        step=None if isinstance(cause, LegacyCause) else cause.step.kind,
        assessed_again=None if diagnosis.again is None else _assessment(diagnosis.again),
    )


def _changes(alarm: AlarmCause) -> list[MetricChangeDocument]:
    return [
        MetricChangeDocument.of(change, watch=change.key.watch, slice=change.key.slice, unit=unit_of(change.key.watch))
        for change in alarm.changes
    ]


def _evidence(found: AlarmEvidence) -> AlarmEvidenceDocument:
    return AlarmEvidenceDocument.of(found, evidence=finite_evidence(found.log_evidence))


def _assessment(again: Reassessment) -> AssessmentDocument:
    return AssessmentDocument(
        window=again.window.start,
        batch=again.window.batch,
        changes=_changes(again.cause),
        inputs=[MovedInputDocument.of(moved) for moved in again.cause.inputs],
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
