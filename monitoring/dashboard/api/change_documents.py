"""The documents of changes over the HTTP API: backfills, new baselines and labels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StrictInt, StrictStr

from monitoring.dashboard.api.resources import Resource, optional_time
from monitoring.jobs.backfill.backfill import BackfillResult
from monitoring.jobs.rebaseline.rebaseline import RebaselineResult
from monitoring.records import Rebaseline
from monitoring.reports.document import iso
from monitoring.store.added_labels import AddedLabels
from monitoring.traffic.format.rows import ID_CHARACTERS, LABEL_CHARACTERS

#: Whole numbers beyond it are not told apart as floats.
_LARGEST_WHOLE = 2**53

Name = Annotated[str, Field(min_length=1)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
LabelText = Annotated[StrictStr, Field(min_length=1, max_length=LABEL_CHARACTERS)]


class RangeRequest(Resource):
    """The windows that begin in [start, end), and who asks; `only` those that are missing, or failed."""

    by: Name
    start: AwareDatetime
    end: AwareDatetime
    only: Literal["missing", "failed"] | None = None


class NewNormalRequest(Resource):
    """The windows of [start, end) are the new normal, for a reason; `since`: windows are judged by it from then on."""

    by: Name
    start: AwareDatetime
    end: AwareDatetime
    since: AwareDatetime | None = None
    reason: Name


class UndoRequest(Resource):
    """Who asks."""

    by: Name


class LabelRequest(Resource):
    """The label of a prediction: text, a number where one is predicted, several names, or a 0 or 1 for each class."""

    prediction_id: Annotated[str, Field(min_length=1, max_length=ID_CHARACTERS)]
    label: LabelText | StrictInt | Number | list[StrictStr] | list[Literal[0, 1]]
    label_time: AwareDatetime

    @property
    def text(self) -> str:
        """The label as the label log has it."""
        if isinstance(self.label, str):
            return self.label
        if isinstance(self.label, list):
            return json.dumps(self.label, ensure_ascii=False, separators=(",", ":"))
        whole = float(self.label).is_integer() and abs(self.label) < _LARGEST_WHOLE
        return str(int(self.label)) if whole else repr(self.label)


class LabelsRequest(Resource):
    """Labels, in order of arrival, and who sends them."""

    by: str = ""
    labels: Annotated[list[LabelRequest], Field(min_length=1)]


class RevisedWindowResource(Resource):
    """A window that was judged before, as it was and as it is; null where it has not been judged again yet."""

    start: str
    end: str
    status_before: str
    rows_before: int
    status: str | None
    rows: int | None


class BackfillResource(Resource):
    """A backfill; `until` is null where there was nothing to judge, and `stopped` says that windows are left."""

    until: str | None
    judged: int
    stopped: bool
    opened: list[int]
    revised: list[RevisedWindowResource]


class RebaselineResource(Resource):
    """A new baseline."""

    baseline: str
    rows: int
    labels: int
    since: str
    closed: list[int]
    notes: list[str]


class UndoneResource(Resource):
    """A re-baseline that was undone: windows from `since` on are judged again by the next run."""

    since: str
    reopened: list[int]


class AddedLabelsResource(Resource):
    """One request that added labels."""

    at: str
    by: str
    labels: int


class LabelRequestsResource(Resource):
    """The last requests that added labels, the newest first."""

    requests: list[AddedLabelsResource]


class LabelsResource(Resource):
    """How many labels were added; those of erased predictions are left out."""

    added: int


def backfill_resource(done: BackfillResult) -> BackfillResource:
    """A backfill."""
    return BackfillResource(
        until=optional_time(None if done.backfill is None else done.backfill.until),
        judged=done.run.judged,
        stopped=done.run.stopped,
        opened=[one.number for one in done.run.opened],
        revised=[
            RevisedWindowResource(
                start=iso(one.before.start),
                end=iso(one.before.end),
                status_before=one.before.status,
                rows_before=one.before.rows,
                status=None if one.after is None else one.after.status,
                rows=None if one.after is None else one.after.rows,
            )
            for one in done.revised
        ],
    )


def rebaseline_resource(done: RebaselineResult) -> RebaselineResource:
    """A new baseline."""
    return RebaselineResource(
        baseline=str(done.folder),
        rows=done.rows,
        labels=done.labels,
        since=iso(done.since),
        closed=list(done.closed),
        notes=list(done.notes),
    )


def label_requests_resource(found: Sequence[AddedLabels]) -> LabelRequestsResource:
    """The requests that added labels."""
    return LabelRequestsResource(
        requests=[AddedLabelsResource(at=iso(one.at), by=one.by, labels=one.labels) for one in found]
    )


def undone_resource(undone: Rebaseline) -> UndoneResource:
    """A re-baseline that was undone."""
    return UndoneResource(since=iso(undone.since), reopened=list(undone.closed))
