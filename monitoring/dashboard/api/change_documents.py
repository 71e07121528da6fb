"""What changes over the HTTP API take: backfills, new baselines and labels; and the documents of labels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, Field, StrictInt, StrictStr, model_validator

from monitoring.dashboard.stores.roster import Entry
from monitoring.documents.deployment import DeploymentDocument, StandingDocument, deployment_document
from monitoring.documents.document import Document, Moment, span
from monitoring.documents.incident import IncidentDocument
from monitoring.errors import PitfallsError
from monitoring.store.added_labels import AddedLabels
from monitoring.tasks.label_objects import label_object
from monitoring.timestamps import require_everywhere
from monitoring.traffic.format.rows import ID_CHARACTERS, LABEL_CHARACTERS

#: A time with an offset, which is one in every time zone.
When = Annotated[AwareDatetime, AfterValidator(require_everywhere)]


class FailureDocument(Document):
    """A config or a store that is not as it is to be, and why: missing, unreadable, or its last run failed.

    `store` is the name of the store where it is one that cannot be read, and otherwise empty.
    """

    store: str
    config: str
    reason: str


class DeploymentPageDocument(Document):
    """A page of deployments; `next` is the `after` of the next page, null on the last."""

    deployments: list[DeploymentDocument]
    failures: list[FailureDocument]
    next: str | None


class ErrorDocument(Document):
    """What happened, what was got, what was expected, and the next step."""

    what: str
    got: str
    expected: str
    fix: str


class ActionRequest(Document):
    """What a person does with an incident: a note, an owner or a reason as `text`; the end of a snooze as `until`."""

    by: Annotated[str, Field(min_length=1)]
    text: str = ""
    until: When | None = None
    until_worse: bool = False


class RunActionRequest(Document):
    """An action of the config, by its name, and who has it done."""

    by: Annotated[str, Field(min_length=1)]
    name: Annotated[str, Field(min_length=1)]


class ActionOutcomeDocument(Document):
    """Whether an action was done, its outcome in words, and the incident with both in its log."""

    done: bool
    outcome: str
    incident: IncidentDocument


def entry_document(entry: Entry) -> DeploymentDocument:
    """A deployment as the overview has it."""
    summary, standing = entry.summary, entry.standing
    return deployment_document(
        summary.record,
        summary.number,
        store=entry.store,
        standing=StandingDocument(
            state=standing.state,
            facts=list(standing.facts),
            summary=" ".join((standing.sentence, *standing.also)),
            undelivered=summary.undelivered.total,
            checked_at=summary.checked_at,
            used_at=summary.used_at,
            last_window=None if summary.last is None else span(*summary.last),
            open_pages=sum(incident.level == "page" for incident in summary.incidents),
            open_notices=sum(incident.level == "notice" for incident in summary.incidents),
            failure=entry.unread or summary.failure or None,
        ),
    )


def error_document(error: PitfallsError) -> ErrorDocument:
    """An error."""
    return ErrorDocument(what=error.what, got=error.got, expected=error.expected, fix=error.fix)


#: Whole numbers beyond it are not told apart as floats.
_LARGEST_WHOLE = 2**53

Name = Annotated[str, Field(min_length=1)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
LabelText = Annotated[StrictStr, Field(min_length=1, max_length=LABEL_CHARACTERS)]


class RangeRequest(Document):
    """The windows that begin in [start, end), and who asks; `only` those that are missing, or failed."""

    by: Name
    start: When
    end: When
    only: Literal["missing", "failed"] | None = None


class NewNormalRequest(Document):
    """The windows of [start, end) are the new normal, for a reason; `since`: windows are judged by it from then on."""

    by: Name
    start: When
    end: When
    since: When | None = None
    reason: Name


class UndoRequest(Document):
    """Who asks."""

    by: Name


class LabelRequest(Document):
    """The label of a prediction: text, a number where one is predicted, several names, or a 0 or 1 for each class.

    Of several outputs it is an object with the label of each. It is for the deployment's model alone.
    """

    prediction_id: Annotated[str, Field(min_length=1, max_length=ID_CHARACTERS)]
    label: (
        LabelText
        | StrictInt
        | Number
        | list[StrictStr]
        | list[Literal[0, 1]]
        | dict[str, LabelText | StrictInt | Number]
    )
    label_time: When

    @model_validator(mode="after")
    def _check_text(self) -> Self:
        """Refuse an object without a label, and one that is too long as text."""
        if not 0 < len(self.text) <= LABEL_CHARACTERS:
            raise ValueError(f"a label of 1 to {LABEL_CHARACTERS} characters as text is expected")
        return self

    @property
    def text(self) -> str:
        """The label as the label log has it."""
        if isinstance(self.label, str):
            return self.label
        if isinstance(self.label, dict):
            return label_object(self.label) or ""
        if isinstance(self.label, list):
            return json.dumps(self.label, ensure_ascii=False, separators=(",", ":"))
        whole = float(self.label).is_integer() and abs(self.label) < _LARGEST_WHOLE
        return str(int(self.label)) if whole else repr(self.label)


class LabelsRequest(Document):
    """Labels, in order of arrival, and who sends them."""

    by: str = ""
    labels: Annotated[list[LabelRequest], Field(min_length=1)]


class AddedLabelsDocument(Document):
    """One request that added labels."""

    at: Moment
    by: str
    labels: int


class LabelRequestsDocument(Document):
    """The last requests that added labels, the newest first."""

    requests: list[AddedLabelsDocument]


class LabelsDocument(Document):
    """How many labels were added; those of erased predictions are left out."""

    added: int


def label_requests_document(requests: Sequence[AddedLabels]) -> LabelRequestsDocument:
    """The requests that added labels."""
    return LabelRequestsDocument(
        requests=[AddedLabelsDocument(at=request.at, by=request.by, labels=request.labels) for request in requests]
    )
