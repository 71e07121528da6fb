"""Incidents opened by facts, such as an input that is gone: at once, and outside the false-alarm budget."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta

from monitoring.incidents.alarm import Alarm, DeploymentBaseline
from monitoring.incidents.cause import Cause
from monitoring.incidents.harm import excesses
from monitoring.incidents.life_cycle import QUIET_WINDOWS, step_fact_recovery
from monitoring.incidents.message import NEXT_STEP
from monitoring.incidents.rearm import LOSS_GROUP, harm_group, score_excess
from monitoring.judging.facts.constant_values import CONSTANT_ANSWERS, CONSTANT_LABELS
from monitoring.judging.facts.gross_failures import ANSWERS_SUBJECT, CONTRADICTED, LABELS_SUBJECT
from monitoring.judging.facts.label_facts import JUMPED, LOST_CLASS
from monitoring.judging.facts.log_facts import IDS_SUBJECT, REPEATS_SUBJECT
from monitoring.judging.facts.loss_outliers import OUTLIER
from monitoring.judging.facts.loss_outliers import SUBJECT as LOSSES_SUBJECT
from monitoring.judging.facts.traffic_volume import FEWER_LABELS, LASTING
from monitoring.judging.facts.traffic_volume import SUBJECT as VOLUME_SUBJECT
from monitoring.judging.facts.usual_level import FEWER_LABELS_SUBJECT, LASTING_SUBJECT
from monitoring.judging.in_sample import IMPROVED
from monitoring.judging.in_sample import SUBJECT as IMPROVED_SUBJECT
from monitoring.judging.label_silence import SUBJECT as LABEL_ARRIVALS
from monitoring.judging.renamed_values import RARE_RENAMED, RENAMED
from monitoring.judging.rules.rule_check import RULE_BROKEN_NOTICE
from monitoring.judging.rules.rule_check import SUBJECT as RULE
from monitoring.judging.window.label_findings import UNKNOWN_LABELS
from monitoring.records import (
    FACT_SEPARATOR,
    FACT_WATCH,
    LABELS_STOPPED,
    NO_ANSWERS,
    Finding,
    IncidentEvent,
    IncidentRecord,
    Watch,
    WindowRecord,
)
from monitoring.traffic.windows import Window
from monitoring.watches.descriptions import printable
from monitoring.watches.integrity import ANSWERS

#: Begins what the evidence of watches adds to the message of such an incident.
EVIDENCE = "Evidence of the watches: "

#: When it closes, in words.
CLOSES = f"the page closes after {QUIET_WINDOWS} windows without this finding"

#: The kinds of facts that are notices; all others page.
NOTICES = frozenset({RULE_BROKEN_NOTICE, LASTING, FEWER_LABELS, IMPROVED, RARE_RENAMED})

#: The kinds of facts about losses, and of facts that losses follow from.
LOSS_FACTS = frozenset({CONTRADICTED, OUTLIER})
ROOTS_OF_LOSSES = frozenset({CONSTANT_ANSWERS, CONSTANT_LABELS, LOST_CLASS, JUMPED})

#: What moves with labels and with answers besides the losses.
_FAMILIES = {CONSTANT_ANSWERS: "outputs", CONSTANT_LABELS: "labels", LOST_CLASS: "labels", JUMPED: "labels"}

#: Subjects whose facts say nothing of the losses.
_OF_NO_LOSS = frozenset(
    {
        VOLUME_SUBJECT,
        LASTING_SUBJECT,
        FEWER_LABELS_SUBJECT,
        LABEL_ARRIVALS,
        IDS_SUBJECT,
        REPEATS_SUBJECT,
        IMPROVED_SUBJECT,
    }
)

#: Kinds of facts that follow from another one: its subject. Labels of unknown predictions count as little as none.
TOLD_BY = {NO_ANSWERS: ANSWERS_SUBJECT, LABELS_STOPPED: IDS_SUBJECT}

#: What to do where the level that such a notice tells is right.
ACCEPT = "if this level is right and will stay, close the notice by hand: it is usual from then on"

#: What to check where the subject of a fact is no input.
_SOURCES = {
    VOLUME_SUBJECT: "those who send requests",
    LASTING_SUBJECT: "whether all senders and files are read, and each once",
    FEWER_LABELS_SUBJECT: "whether the job that delivers labels reads all of its files, and the ids that it sends",
    IMPROVED_SUBJECT: "where labels come from, and whether they are made of the answers",
    LABEL_ARRIVALS: "the job that delivers labels",
    IDS_SUBJECT: "whether the traffic log is whole, the ids that labels are sent with, and that they name their model "
    "where a log has several",
    REPEATS_SUBJECT: "why clients send requests again: time-outs, or errors of the server",
    LABELS_SUBJECT: "the job that delivers labels",
    LOSSES_SUBJECT: "the labels of this window's rows, then the inputs of these rows",
    ANSWERS_SUBJECT: "the model's export, and roll it back",
}

#: An input that explains so much of a rise is what to check first.
MOST_EXPLAINED = 0.5

#: What such a page tells is high in a window from so many standard deviations above the baseline on.
HIGH = 2.0

#: The recovery state of a new one: no window without the fact so far.
_INITIAL_RECOVERY = "0"


def advance_fact_incident(
    incident: IncidentRecord, findings: Sequence[Finding], window: Window, *, enough_rows: bool, harmful: bool = False
) -> IncidentRecord:
    """Advance an incident that a fact opened by one window.

    Args:
        enough_rows: Whether the window has enough rows to say that the fact is over. Too few show only that it is not.
        harmful: Whether the losses that the incident tells too are high in the window: then it is not over.
    """
    is_present = any(
        (finding.fact and finding.feature in incident.inputs_of_fact)
        or TOLD_BY.get(finding.kind) in incident.inputs_of_fact
        for finding in findings
    )
    is_present = is_present or (
        incident.cause in LOSS_FACTS and any(finding.kind in LOSS_FACTS for finding in findings)
    )
    is_present = is_present or any(
        finding.kind == incident.cause == RENAMED and finding.feature in incident.inputs_of_fact for finding in findings
    )
    if not (is_present or harmful or enough_rows):
        return incident
    return step_fact_recovery(incident, is_present=is_present or harmful, now=window.end)


def open_fact_incidents(
    findings: Sequence[Finding], window: Window, *, current: Sequence[IncidentRecord], first_number: int
) -> tuple[IncidentRecord, ...]:
    """Open one incident for each kind of fact that no open incident has; a notice keeps no page of its input away.

    >>> from datetime import UTC, datetime
    >>> day = Window(start=datetime(2013, 4, 1, tzinfo=UTC), end=datetime(2013, 4, 2, tzinfo=UTC))
    >>> gone = [Finding(kind="column gone", feature=name, message="", fact=True) for name in ("temp", "wind")]
    >>> opened = open_fact_incidents(gone, day, current=(), first_number=3)
    >>> [(incident.number, incident.slice, incident.cause) for incident in opened]
    [(3, 'temp, wind', 'column gone')]

    Returns:
        Pages, each of which names every input that its fact is true of; notices of the kinds `NOTICES`.
    """
    subjects = {name for incident in current for name in incident.inputs_of_fact}
    paged = {name for incident in current if incident.level == "page" for name in incident.inputs_of_fact}
    named = subjects | {finding.feature for finding in findings if finding.fact}
    by_kind: dict[str, dict[str, Finding]] = {}
    for finding in findings:
        if TOLD_BY.get(finding.kind) in named:
            continue
        if finding.fact and finding.feature not in (subjects if finding.kind in NOTICES else paged):
            by_kind.setdefault(finding.kind, {})[finding.feature] = finding
    return tuple(
        IncidentRecord(
            number=first_number + place,
            level="notice" if kind in NOTICES else "page",
            state="open",
            opened_at=window.end,
            window_start=window.start,
            window_end=window.end,
            watch=FACT_WATCH,
            slice=FACT_SEPARATOR.join(facts),
            cause=kind,
            message=_message(kind, tuple(facts.values())),
            recovery=_INITIAL_RECOVERY,
            history=(IncidentEvent(at=window.end, state="open"),),
        )
        for place, (kind, facts) in enumerate(by_kind.items())
    )


def tells(incident: IncidentRecord, alarm: Alarm, horizon: timedelta, *, of_no_class: float = 0.0) -> bool:
    """Whether an incident that a fact opened tells the harm behind an alarm too.

    Args:
        of_no_class: The share of the window's labels that are of no class.

    Returns:
        True if the alarm's watch is about what the fact names; and for losses and the joint watch, if they changed with
        the fact; of labels of no class, if they changed by no more than these explain.
    """
    subjects, watch = incident.inputs_of_fact, alarm.watch
    if (watch.name == ANSWERS.name and ANSWERS_SUBJECT in subjects) or _is_about(watch.feature, subjects):
        return True
    if incident.cause == UNKNOWN_LABELS:
        return _is_explained(alarm, of_no_class)
    if incident.cause in LOSS_FACTS or incident.cause in ROOTS_OF_LOSSES:
        return harm_group(watch) == LOSS_GROUP or watch.family == _FAMILIES.get(incident.cause)
    if LABELS_SUBJECT in subjects or _are_rules(subjects):  # which say nothing of the losses of the others
        return False
    if _OF_NO_LOSS.intersection(subjects) or not (harm_group(watch) == LOSS_GROUP or watch.family == "joint"):
        return False
    return incident.window_start <= alarm.windows[0].start <= incident.window_end + horizon


def _is_explained(alarm: Alarm, of_no_class: float) -> bool:
    """Whether the error rate rose, or a class's share fell, by no more than such a share of labels of no class does."""
    is_share = alarm.watch.family == "labels"
    key = alarm.key if is_share else replace(alarm.key, watch="error")
    moved = excesses(alarm, key)
    if not moved or not (is_share or harm_group(alarm.watch) == LOSS_GROUP):
        return False
    baseline = alarm.baseline.scores[key]
    explained = of_no_class * (baseline.mean if is_share else 1.0 - baseline.mean)
    return abs(math.fsum(moved)) / len(moved) <= explained + HIGH * baseline.deviation / math.sqrt(len(moved))


def _explaining_input(cause: Cause) -> str:
    """What to check before the labels where an input that moved explains most of the rise; empty where none does."""
    most = max(cause.detail.inputs, key=lambda drift: drift.explained or 0.0, default=None)
    if most is None or (most.explained or 0.0) < MOST_EXPLAINED:
        return ""
    return f"check {printable(most.input)} and its unit, which explain most of the rise; then "


def has_evidence(incident: IncidentRecord) -> bool:
    """Whether the evidence of a watch was added to such an incident."""
    return EVIDENCE in incident.message


def with_evidence(incident: IncidentRecord, cause: Cause) -> IncidentRecord:
    """The incident with what an alarm adds to it: its cause in a few words, and in numbers."""
    message = incident.message.replace(CLOSES, f"{CLOSES} and with its losses near the baseline")
    if incident.cause in LOSS_FACTS:  # then the alarm is of the same losses, and knows more of them
        fact, _, step = message.rpartition(NEXT_STEP)
        first = _explaining_input(cause)
        message = f"{fact} {EVIDENCE}{' '.join((f'{cause.cause}.', *cause.inputs))}{NEXT_STEP}{first}{step}"
    else:
        message = f"{message} {EVIDENCE}{cause.cause}."
    return replace(incident, message=message, detail=cause.detail)


def harm_groups_of_fact(incident: IncidentRecord, watches: Sequence[Watch]) -> frozenset[str]:
    """The groups of watches whose harm such an incident may have told.

    Returns:
        Groups as of `monitoring.incidents.rearm.harm_group`; none for traffic volume, and for labels that stopped or
        are late, or are of no class and moved nothing.
    """
    subjects = incident.inputs_of_fact
    if (
        _are_rules(subjects)
        or _OF_NO_LOSS.intersection(subjects)
        or (
            LABELS_SUBJECT in subjects
            and incident.cause not in LOSS_FACTS | ROOTS_OF_LOSSES
            and not has_evidence(incident)
        )
    ):
        return frozenset()
    named = {harm_group(watch) for watch in watches if _is_about(watch.feature, subjects)}
    named |= {harm_group(watch) for watch in watches if watch.family == _FAMILIES.get(incident.cause)}
    if ANSWERS_SUBJECT in subjects:
        named.add(harm_group(ANSWERS))
    return frozenset({LOSS_GROUP, "joint", *named})


def is_harm_high(incident: IncidentRecord, window: WindowRecord, baseline: DeploymentBaseline) -> bool:
    """Whether what such an incident tells is high in a window: a loss, or the share of values its subjects lack."""
    groups = harm_groups_of_fact(incident, tuple(baseline.watches.values()))
    for key, baseline_score in baseline.scores.items():
        watch = baseline.watches[key.watch]
        if key.slice or watch.family not in ("performance", "integrity") or harm_group(watch) not in groups:
            continue
        high = HIGH * baseline_score.deviation + baseline_score.tolerance
        if any(excess * watch.scale > high for excess in score_excess(key, (window,), baseline)):
            return True
    return False


def _are_rules(subjects: Collection[str]) -> bool:
    """Whether what a fact names are rules of the user's own."""
    return any(subject.startswith(RULE) for subject in subjects)


def _is_about(feature: str | None, subjects: Collection[str]) -> bool:
    """Whether an input, or what describes one (`comment.words`), is among the columns that a fact names."""
    return feature is not None and any(
        feature == subject or feature.startswith(f"{subject}.") for subject in subjects if subject
    )


def _message(kind: str, facts: Sequence[Finding]) -> str:
    """What is wrong, the next step, and when the page closes."""
    names = FACT_SEPARATOR.join(fact.feature for fact in facts if fact.feature)
    what = facts[0].message if len(facts) == 1 else f"{kind[0].upper()}{kind[1:]} for {len(facts)} inputs: {names}."
    if names.startswith(RULE):
        what = " ".join(fact.message for fact in facts)
        return f"{what}{NEXT_STEP}look at these rows, and at what writes them; {CLOSES.replace('page', 'incident')}."
    source = _SOURCES.get(names) or (f"the pipeline that fills {names}" if names else "the files of this window")
    closes = CLOSES.replace("page", "notice") if kind in NOTICES else CLOSES
    accept = f"; {ACCEPT}" if kind in (LASTING, FEWER_LABELS) else ""
    return f"{what}{NEXT_STEP}check {source}; {closes}{accept}."
