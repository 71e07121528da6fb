"""Incidents opened by facts, such as an input that is gone: at once, and outside the false-alarm budget."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from monitoring.incidents.alarm import Alarm, DeploymentBaseline
from monitoring.incidents.cause import Cause
from monitoring.incidents.harm import excesses
from monitoring.incidents.life_cycle import QUIET_WINDOWS, step_fact_recovery
from monitoring.incidents.rearm import LOSS_GROUP, harm_group, score_excess
from monitoring.judging.facts.answer_relations import INDEPENDENT, REVERSED
from monitoring.judging.facts.class_order import REORDERED
from monitoring.judging.facts.constant_values import CONSTANT_ANSWERS, CONSTANT_LABELS
from monitoring.judging.facts.gross_failures import (
    ANSWERS_SUBJECT,
    CONTRADICTED,
    LABELS_SUBJECT,
    MORE_MISSING,
    MORE_UNSEEN,
)
from monitoring.judging.facts.input_values import ROWS_SUBJECT
from monitoring.judging.facts.label_facts import JUMPED, LOST_CLASS
from monitoring.judging.facts.log_facts import IDS_SUBJECT, REPEATS_SUBJECT
from monitoring.judging.facts.loss_outliers import OUTLIER
from monitoring.judging.facts.traffic_volume import FEWER_LABELS, LASTING, UNUSUAL
from monitoring.judging.facts.traffic_volume import SUBJECT as VOLUME_SUBJECT
from monitoring.judging.facts.usual_level import FEWER_LABELS_SUBJECT, LASTING_SUBJECT
from monitoring.judging.in_sample import IMPROVED
from monitoring.judging.in_sample import SUBJECT as IMPROVED_SUBJECT
from monitoring.judging.label_silence import SUBJECT as LABEL_ARRIVALS
from monitoring.judging.renamed_values import RARE_RENAMED, RENAMED
from monitoring.judging.rules.rule_check import RULE_BROKEN, RULE_BROKEN_NOTICE
from monitoring.judging.window.label_findings import UNKNOWN_LABELS
from monitoring.records import (
    FACT_SEPARATOR,
    FACT_WATCH,
    LABELS_STOPPED,
    NO_ANSWERS,
    AlarmCause,
    Diagnosis,
    FactCause,
    Finding,
    IncidentEvent,
    IncidentRecord,
    LegacyCause,
    NextStep,
    RootFact,
    StepKind,
    Watch,
    WindowRecord,
)
from monitoring.records.incident_order import fact_place, part_of_fact
from monitoring.traffic.windows import Window
from monitoring.watches.integrity import ANSWERS

#: The kinds of facts that are notices; all others page.
NOTICES = frozenset(
    {RULE_BROKEN_NOTICE, LASTING, UNUSUAL, FEWER_LABELS, IMPROVED, RARE_RENAMED, MORE_MISSING, MORE_UNSEEN}
)

#: The kinds of facts about rules of the user's own.
RULES = frozenset({RULE_BROKEN, RULE_BROKEN_NOTICE})

#: The kinds of facts about losses, and of facts that losses follow from.
LOSS_FACTS = frozenset({CONTRADICTED, OUTLIER})
ROOTS_OF_LOSSES = frozenset({CONSTANT_ANSWERS, CONSTANT_LABELS, INDEPENDENT, LOST_CLASS, JUMPED, REORDERED, REVERSED})

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
        ROWS_SUBJECT,
    }
)

#: Kinds of facts about labels that say nothing where the answers that the labels are of are unusable.
_OF_ANSWERED = frozenset({CONSTANT_LABELS, LOST_CLASS, JUMPED})
UNUSABLE = frozenset({"unusable answers", NO_ANSWERS})

#: Kinds of facts that follow from another one: its subject. Labels of unknown predictions count as little as none.
TOLD_BY = {NO_ANSWERS: ANSWERS_SUBJECT, LABELS_STOPPED: IDS_SUBJECT}

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
        harmful: Whether the losses that the incident tells too are high in the window, or what it tells is not near the
            baseline: then it is not over.
    """
    is_present = any(
        (finding.fact and finding.feature in incident.subjects) or TOLD_BY.get(finding.kind) in incident.subjects
        for finding in findings
    )
    is_present = is_present or (incident.fact in LOSS_FACTS and any(finding.kind in LOSS_FACTS for finding in findings))
    is_present = is_present or any(
        finding.kind == incident.fact == RENAMED and finding.feature in incident.subjects for finding in findings
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
    >>> [(incident.number, incident.slice, incident.fact) for incident in opened]
    [(3, 'temp, wind', 'column gone')]

    Returns:
        Pages, each of which names every input that its fact is true of; notices of the kinds `NOTICES`. Causes come
        first, and a fact names the one that explains it.
    """
    subjects = {name for incident in current for name in incident.subjects}
    unusable = any(incident.fact in UNUSABLE for incident in current) or any(
        finding.fact and finding.kind in UNUSABLE for finding in findings
    )
    paged = {name for incident in current if incident.level == "page" for name in incident.subjects}
    named = subjects | {finding.feature for finding in findings if finding.fact}
    by_kind: dict[str, dict[str, Finding]] = {}
    for finding in findings:
        if TOLD_BY.get(finding.kind) in named or (unusable and finding.kind in _OF_ANSWERED):
            continue
        if finding.fact and finding.feature not in (subjects if finding.kind in NOTICES else paged):
            by_kind.setdefault(finding.kind, {})[finding.feature] = finding
    present = {(finding.kind, finding.feature) for finding in findings if finding.fact}
    roots = [
        incident
        for incident in current
        if incident.level == "page" and any((incident.fact, name) in present for name in incident.subjects)
    ]
    opened: list[IncidentRecord] = []
    for kind in sorted(by_kind, key=lambda kind: (fact_place(kind), kind != UNKNOWN_LABELS)):
        facts = by_kind[kind]
        root = _root(kind, (*opened, *roots))
        new = IncidentRecord(
            number=first_number + len(opened),
            level="notice" if kind in NOTICES else "page",
            state="open",
            opened_at=window.end,
            window_start=window.start,
            window_end=window.end,
            watch=FACT_WATCH,
            slice=FACT_SEPARATOR.join(facts),
            diagnoses=(Diagnosis(at=window.end, cause=_cause(kind, facts, root)),),
            recovery=_INITIAL_RECOVERY,
            history=(IncidentEvent(at=window.end, state="open"),),
            consequence_of=None if root is None else root.number,
        )
        opened.append(new)
    return tuple(opened)


def _root(kind: str, others: Sequence[IncidentRecord]) -> IncidentRecord | None:
    """The page of a fact of the same window that explains another fact, the first cause; None where none does."""
    if kind in RULES or kind in NOTICES:
        return None
    if kind in (LOST_CLASS, JUMPED):
        return next((other for other in others if other.fact == UNKNOWN_LABELS), None)
    explaining = {"answers": ("input",), "losses": ("input", "labels", "answers")}.get(part_of_fact(kind), ())
    pages = [other for other in others if other.level == "page" and other.fact not in RULES]
    return next((other for part in explaining for other in pages if part_of_fact(other.fact) == part), None)


def tells(incident: IncidentRecord, alarm: Alarm, horizon: timedelta, *, of_no_class: float = 0.0) -> bool:
    """Whether an incident that a fact opened tells the harm behind an alarm too.

    Args:
        of_no_class: The share of the window's labels that are of no class.

    Returns:
        True if the alarm's watch is about what the fact names; and for losses and the joint watch, if they changed with
        the fact; of labels of no class, if they changed by no more than these explain.
    """
    subjects, watch = incident.subjects, alarm.watch
    if (watch.name == ANSWERS.name and ANSWERS_SUBJECT in subjects) or _is_about(watch.feature, subjects):
        return True
    if incident.fact == UNKNOWN_LABELS:
        return _is_explained(alarm, of_no_class)
    if incident.fact in LOSS_FACTS or incident.fact in ROOTS_OF_LOSSES:
        return harm_group(watch) == LOSS_GROUP or watch.family == _FAMILIES.get(incident.fact)
    if LABELS_SUBJECT in subjects or incident.fact in RULES:  # which say nothing of the losses of the others
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


def labels_of_others(incidents: Iterable[IncidentRecord]) -> int:
    """The number of the first notice that labels come for other rows than before, or have other shares; 0 without one.

    Args:
        incidents: Those that are not closed.
    """
    for incident in incidents:
        cause = incident.opening
        is_of_labels = isinstance(cause, AlarmCause) and cause.family in ("labelled", "labels")
        if incident.level == "notice" and (is_of_labels or incident.fact == FEWER_LABELS):
            return incident.number
    return 0


def with_evidence(incident: IncidentRecord, cause: Cause) -> IncidentRecord:
    """The incident with what an alarm adds to it."""
    opening, *later = incident.diagnoses
    fact = opening.cause
    if not isinstance(fact, FactCause | LegacyCause):
        return incident
    told = replace(fact, evidence=cause.alarm)
    if isinstance(told, FactCause) and told.fact in LOSS_FACTS:  # then the alarm is of the same losses, and knows more
        told = replace(told, step=replace(told.step, first=_explaining_input(cause)))
    return replace(incident, diagnoses=(replace(opening, cause=told), *later), detail=cause.detail)


def _explaining_input(cause: Cause) -> str:
    """The input that moved and explains most of the rise; empty where none does."""
    most = max(cause.detail.inputs, key=lambda drift: drift.explained or 0.0, default=None)
    return "" if most is None or (most.explained or 0.0) < MOST_EXPLAINED else most.input


def harm_groups_of_fact(incident: IncidentRecord, watches: Sequence[Watch]) -> frozenset[str]:
    """The groups of watches whose harm such an incident may have told.

    Returns:
        Groups as of `monitoring.incidents.rearm.harm_group`; none for traffic volume, and for labels that stopped or
        are late, or are of no class and moved nothing.
    """
    subjects = incident.subjects
    if (
        incident.fact in RULES
        or _OF_NO_LOSS.intersection(subjects)
        or (
            LABELS_SUBJECT in subjects
            and incident.fact not in LOSS_FACTS | ROOTS_OF_LOSSES
            and not incident.has_evidence
        )
    ):
        return frozenset()
    named = {harm_group(watch) for watch in watches if _is_about(watch.feature, subjects)}
    named |= {harm_group(watch) for watch in watches if watch.family == _FAMILIES.get(incident.fact)}
    if ANSWERS_SUBJECT in subjects:
        named.add(harm_group(ANSWERS))
    return frozenset({LOSS_GROUP, "joint", *named})


def is_harm_high(
    incident: IncidentRecord, window: WindowRecord, baseline: DeploymentBaseline, others: Sequence[IncidentRecord] = ()
) -> bool:
    """Whether what such an incident tells is high in a window: a loss, or the share of values its subjects lack.

    Losses that a page of an earlier window tells, which is among the others and not closed, are that page's.
    """
    groups = harm_groups_of_fact(incident, tuple(baseline.watches.values()))
    if any(_tells_losses(other, baseline) for other in others if other.window_start < incident.window_start):
        groups -= {LOSS_GROUP}
    for key, baseline_score in baseline.scores.items():
        watch = baseline.watches[key.watch]
        if key.slice or watch.family not in ("performance", "integrity") or harm_group(watch) not in groups:
            continue
        high = HIGH * baseline_score.deviation + baseline_score.tolerance
        if any(excess * watch.scale > high for excess in score_excess(key, (window,), baseline)):
            return True
    return False


def _tells_losses(incident: IncidentRecord, baseline: DeploymentBaseline) -> bool:
    if incident.level != "page" or incident.state == "closed":
        return False
    if incident.watch in baseline.watches:
        return harm_group(baseline.watches[incident.watch]) == LOSS_GROUP
    return incident.has_evidence and LOSS_GROUP in harm_groups_of_fact(incident, tuple(baseline.watches.values()))


def _is_about(feature: str | None, subjects: Collection[str]) -> bool:
    """Whether an input, or what describes one (`comment.words`), is among the columns that a fact names."""
    return feature is not None and any(
        feature == subject or feature.startswith(f"{subject}.") for subject in subjects if subject
    )


def _cause(kind: str, facts: Mapping[str, Finding], root: IncidentRecord | None) -> FactCause:
    """What is wrong, and the next step: what explains it is looked at first."""
    step: StepKind = "look at its rows" if kind in RULES else "check the source"
    return FactCause(
        fact=kind,
        findings=tuple(facts.values()),
        closes_after=QUIET_WINDOWS,
        root=None if root is None else RootFact(incident=root.number, fact=root.fact, slice=root.slice),
        step=NextStep(kind=step, subjects=tuple(filter(None, facts if root is None else root.subjects))),
    )
