"""The records of an account: plain values that JSON has, floats as exact hexadecimal text, no row and no id."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import accumulate
from typing import Any

from monitoring.deployment.deployment import Deployment
from monitoring.documents.document import iso
from monitoring.evidence.level import LevelState
from monitoring.records import (
    BURN_IN,
    SCORE_ONE,
    Backfill,
    BaselineScore,
    DeploymentRecord,
    DrillRecord,
    IncidentRecord,
    Rebaseline,
    RolloutEvent,
    RolloutRecord,
    ScoreRecord,
    Sensitivity,
    Watch,
    WindowRecord,
)
from monitoring.records.diagnosis import AlarmCause, AlarmEvidence
from monitoring.records.state_names import StateName

#: A record of an account.
Node = dict[str, Any]


def exact(number: float | None) -> str | None:
    """A float as text that is exact to the bit; None stays None.

    >>> exact(0.5), exact(None)
    ('0x1.0000000000000p-1', None)
    """
    return None if number is None else float(number).hex()


def moment(time: datetime | None) -> str | None:
    """A time as ISO 8601 in UTC; None stays None."""
    return None if time is None else iso(time)


def digest(text: str) -> str | None:
    """The SHA-256 of what a person wrote, which may name a row; None of nothing."""
    return hashlib.sha256(text.encode()).hexdigest() if text else None


def plan_node(
    record: DeploymentRecord,
    baseline: Sequence[BaselineScore],
    sensitivity: Sequence[Sensitivity],
    rebaselines: Sequence[Rebaseline],
    backfills: Sequence[Backfill],
) -> Node:
    """What was promised of one deployment, which has one set of settings, and when that was changed."""
    return {
        "deployment": record.number,
        "name": record.called,
        "model": record.model,
        "version": record.version,
        "in_force_from": iso(record.created_at),
        "follows": record.follows,
        "settings_digest": record.settings_digest,
        "basis_digest": record.basis,
        "timezone": record.timezone,
        "page": {"budget": record.page_budget, "threshold": exact(record.page_threshold)},
        "notice": {"budget": record.notice_budget, "threshold": exact(record.notice_threshold)},
        "tolerances": [
            [one.level, one.watch, one.slice, one.windows, exact(one.mean), exact(one.deviation), exact(one.tolerance)]
            for one in baseline
        ],
        "smallest_harm": [[one.metric, one.slice, one.windows, exact(one.rise)] for one in sensitivity],
        "rebaselines": [
            {
                "at": iso(one.at),
                "by": one.by,
                "start": iso(one.start),
                "end": iso(one.end),
                "since": iso(one.since),
                "former_basis": one.former_basis,
                "closed": list(one.closed),
                "undone_at": moment(one.undone_at),
                "reason_sha256": digest(one.reason),
            }
            for one in rebaselines
        ],
        "backfills": [
            {"at": iso(one.at), "by": one.by, "start": iso(one.start), "end": iso(one.end), "revised": one.revised}
            for one in backfills
        ],
    }


def recount_node(deployment: Deployment, states: Mapping[StateName, str], since: datetime | None) -> Node:
    """What it takes to count a level's evidence anew from that of its watches."""
    page, notice = (deployment.reference_fit.tests[level] for level in ("page", "notice"))
    state = LevelState.from_text(states["page"]) if states.get("page") else LevelState()
    shares = {"page": page.shares, "loss": page.loss_shares, "notice": notice.shares}
    scales = {"page": state.log_scale or 0.0, "loss": state.loss_log_scale or 0.0, "notice": 0.0}
    watches = deployment.catalogue.watches
    return {
        "since": moment(since),
        "min_rows": page.min_rows,
        "levels": {
            name: {
                "log_scale": exact(scales[name]),
                "shares": [[key.watch, key.slice, exact(share)] for key, share in each.items()],
            }
            for name, each in shares.items()
        },
        "watches": {name: [one.family, exact(one.scale), exact(one.offset)] for name, one in watches.items()},
    }


def window_nodes(
    number: int, windows: Sequence[WindowRecord], watches: Mapping[str, Watch], *, before: Sequence[WindowRecord]
) -> list[Node]:
    """Windows of one deployment in order, counted from its first one on, with sums so far.

    Args:
        before: All of its windows before these.
    """
    rows = accumulate((one.rows for one in windows), initial=sum(one.rows for one in before))
    labels = accumulate((one.labels for one in windows), initial=sum(one.labels for one in before))
    ends = [one.end for one in (*before[-1:], *windows)][-len(windows) - 1 :]
    if not before:
        ends = [windows[0].start, *ends] if windows else []
    return [
        {
            "deployment": number,
            "index": index,
            "start": iso(one.start),
            "end": iso(one.end),
            "gap_before": one.start != end_before,
            "rows": one.rows,
            "labels": one.labels,
            "labels_due": one.labels_due,
            "labels_unknown": one.labels_unknown,
            "labels_conflicting": one.labels_conflicting,
            "labels_by_delay": list(one.label_delays),
            "repeats": one.repeats,
            "lost": one.unseen,
            "rows_before": rows_before,
            "labels_before": labels_before,
            "status": one.status,
            "page": exact(one.page_log_evidence),
            "notice": exact(one.notice_log_evidence),
            "loss": exact(one.loss_log_evidence),
            "burn_in": any(finding.kind == BURN_IN for finding in one.findings),
            "findings": [[finding.kind, finding.feature, finding.fact] for finding in one.findings],
            "scores": [score_node(score, watches.get(score.watch)) for score in one.scores],
        }
        for index, (one, end_before, rows_before, labels_before) in enumerate(
            zip(windows, ends, rows, labels, strict=False), start=len(before) + 1
        )
    ]


def score_node(score: ScoreRecord, watch: Watch | None) -> list[Any]:
    """A watch in a window: level, watch, slice, rows, whole-number sum, mean in its own unit, log evidence.

    The store has the mean. The sum is the whole number that gives it again to the bit; None where none does.

    >>> brier = Watch(name="brier", family="performance", level="page", needs_label=True)
    >>> half = ScoreRecord(level="page", watch="brier", slice="", rows=2, value=0.25, log_evidence=0.0)
    >>> score_node(half, brier)[:5]
    ['page', 'brier', '', 2, 2147483648]
    """
    total = None
    if score.value is not None and watch is not None and score.rows and watch.scale:
        total = round((score.value - watch.offset) / watch.scale * score.rows * SCORE_ONE)
        if watch.value(total / (score.rows * SCORE_ONE)) != score.value:
            total = None
    key = [score.level, score.watch, score.slice, score.rows]
    return [*key, total, exact(score.value), exact(score.log_evidence)]


def incident_node(number: int, one: IncidentRecord) -> Node:
    """An incident: what opened it, its states, and what people did; texts of people as digests alone."""
    evidence = alarm_evidence(one)
    return {
        "deployment": number,
        "number": one.number,
        "level": one.level,
        "state": one.state,
        "opened_at": iso(one.opened_at),
        "window_start": iso(one.window_start),
        "window_end": iso(one.window_end),
        "watch": one.watch,
        "slice": one.slice,
        "fact": one.fact,
        "alarm": None
        if evidence is None
        else {
            "level": evidence.level,
            "log_evidence": exact(evidence.log_evidence),
            "threshold": exact(evidence.threshold),
            "team": evidence.team is not None,
        },
        "acknowledged_at": moment(one.acknowledged_at),
        "closed_at": moment(one.closed_at),
        "previous": one.previous,
        "consequence_of": one.consequence_of,
        "owner": one.owner,
        "history": [[iso(event.at), event.state] for event in one.history],
        "actions": [[iso(act.at), act.by, act.kind, moment(act.until), digest(act.text)] for act in one.actions],
    }


def alarm_evidence(one: IncidentRecord) -> AlarmEvidence | None:
    """The evidence of the alarm that opened an incident; None where a fact or a search did."""
    cause = one.opening
    return cause.evidence if isinstance(cause, AlarmCause) else None


def drill_node(one: DrillRecord, position: int) -> Node:
    """A drill: what was planted, how often it was told, and what was missed."""
    return {
        "position": position,
        "at": iso(one.at),
        "by": one.by,
        "version": one.version,
        "release": one.release,
        "basis_digest": one.basis,
        "seed": one.seed,
        "source": one.source,
        "source_windows": one.source_windows,
        "windows": one.windows,
        "replicates": one.replicates,
        "false_pages": one.false_pages,
        "false_notices": one.false_notices,
        "faults": [
            {
                "fault": fault.fault,
                "title": fault.title,
                "level": fault.level,
                "promised": fault.promised,
                "runs": [[run.level, run.delay] for run in fault.runs],
                "outcome": fault.outcome,
            }
            for fault in one.faults
        ],
        "unfit": [fault.fault for fault in one.unfit],
    }


def rollout_node(one: RolloutRecord, position: int, events: Sequence[RolloutEvent]) -> Node:
    """A rollout: the versions, its last verdict with its interval, and who did what."""
    result = one.result
    return {
        "position": position,
        "model": one.model,
        "champion": one.champion,
        "candidate": one.candidate,
        "mode": one.mode,
        "share": exact(one.share),
        "state": one.state,
        "started_at": iso(one.started_at),
        "ended_at": moment(one.ended_at),
        "by": one.by,
        "release": one.release,
        "settings_sha256": digest(one.settings),
        "result": None
        if result is None
        else {
            "verdict": result.verdict,
            "loss": result.loss,
            "min_effect": exact(result.min_effect),
            "wrong": exact(result.wrong),
            "interval": [exact(result.interval.low), exact(result.interval.mean), exact(result.interval.high)],
            "rows": result.rows,
            "labelled": result.labelled,
            "decided": result.decided,
            "decided_at": moment(result.decided_at),
            "promotable": result.promotable,
        },
        "events": [[iso(event.at), event.kind, event.by] for event in events],
    }
