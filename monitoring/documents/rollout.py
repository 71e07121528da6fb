"""The schema of a rollout: what is known of a candidate version beside the champion."""

from __future__ import annotations

from collections.abc import Sequence

from monitoring.documents.document import Document, Moment
from monitoring.records import (
    MissingLabels,
    Requirement,
    RolloutEvent,
    RolloutGuard,
    RolloutInterval,
    RolloutLook,
    RolloutMode,
    RolloutPlan,
    RolloutRecord,
    RolloutResult,
    RolloutState,
    RolloutVerdict,
    RolloutWindow,
)


class DifferenceDocument(Document):
    """The candidate's measure less the champion's, in the measure's own unit: negative is better."""

    mean: float
    low: float
    high: float
    verdict: RolloutVerdict


class LossDocument(Document):
    """The loss that decides, and its unit: share, score, or target for that of what is predicted."""

    name: str
    title: str
    unit: str


class PromotionDocument(Document):
    """Whether the candidate may be promoted, by what is required, and why not."""

    allowed: bool
    require: Requirement
    reasons: list[str]


class HarmDocument(Document):
    """The mean of the e-values of all measures against "not worse"; harm is certain from the threshold on."""

    e_value: float
    threshold: float
    reached: bool


class NeededDocument(Document):
    """About what a verdict still takes, at the difference and the variance seen so far."""

    rows: int
    labels: int
    windows: int
    days: float


class WidthsDocument(Document):
    """What half of the interval that decides is made of: its rows, how days differ, and labels that are missing."""

    rows: float
    days: float
    missing_labels: float


class DecidedDocument(Document):
    """The first verdict that was reached, and when."""

    verdict: RolloutVerdict
    at: Moment


class GuardDocument(Document):
    """A measure that has to be not worse by more than `limit`; `e_value` is its evidence of harm on the rows seen."""

    name: str
    difference: DifferenceDocument
    limit: float
    rows: int
    passes: bool
    e_value: float | None


class LookDocument(Document):
    """What was known after a window, by all windows up to it."""

    at: Moment
    rows: int
    labels: int
    difference: DifferenceDocument


class RolloutWindowDocument(Document):
    """A window of rows that both versions answered.

    `difference` is the mean over its rows, with those without a label as 0.
    """

    start: Moment
    end: Moment
    rows: int
    labels: int
    disagreements: int
    disagreements_without_label: int
    difference: float


class RolloutResultDocument(Document):
    """What a rollout's evidence says at its last look.

    `at_random` is the difference if rows without a label are like the others. The mean losses of `champion` and
    `candidate` are over labelled rows, null without any. `unusable` rows were left out, as the champion's answer is
    none; `failed` ones are those on which the candidate's is. `dispersion` is by what factor days vary more than
    their rows explain. `widths` is null in results of earlier releases and without rows, `needed` where a verdict is
    there, or nothing is known yet.
    """

    verdict: RolloutVerdict
    loss: LossDocument
    champion: float | None
    candidate: float | None
    difference: DifferenceDocument
    at_random: DifferenceDocument
    min_effect: float
    wrong: float
    missing_labels: MissingLabels
    rows: int
    labels: int
    disagreements: int
    disagreements_without_label: int
    unusable: int
    failed: int
    dispersion: float
    widths: WidthsDocument | None
    decided: DecidedDocument | None
    needed: NeededDocument | None
    promotion: PromotionDocument
    obstacles: list[str]
    harm: HarmDocument
    guards: list[GuardDocument]
    looks: list[LookDocument]
    windows: list[RolloutWindowDocument]


class VersionsDocument(Document):
    """The version in use, and the one that may replace it."""

    champion: int
    candidate: int


class ReplayDocument(RolloutResultDocument):
    """What a replay says; of a table of answers there are no versions, and nothing is stored or scored."""

    rollout: int | None
    model: str | None
    versions: VersionsDocument | None
    scored: int | None
    notes: list[str]


class PromiseDocument(Document):
    """When a verdict comes if the difference is `effect`: with each of the probabilities, null for later."""

    effect: float
    verdict: RolloutVerdict
    shares: list[float]
    days: list[float | None]
    rows: list[int | None]
    labels: list[int | None]


class RolloutPlanDocument(Document):
    """What was known before a rollout, and what was promised.

    `keys_per_day` are those of a split: the champion's and the candidate's; rows of its promises are keys of both.
    Promises without days lie beyond `furthest_days`, and so does `last_guard_days`, by which the guard that passes last
    has passed in nine of ten. `day_spread` is the standard deviation of days beyond what their rows explain, as judged
    by `days_seen` of them: as likely above as below, and below in nine of ten; null where it was not known.
    """

    at: Moment
    rows_per_day: float
    keys_per_day: list[float] | None
    disagreement: float
    spread: float
    coverage: float
    label_delay_days: list[float]
    measured_on: int
    furthest_days: float | None
    last_guard: str | None
    last_guard_days: float | None
    day_spread: list[float] | None
    days_seen: int
    promises: list[PromiseDocument]


class RolloutEventDocument(Document):
    """Something that happened in a rollout."""

    at: Moment
    kind: str
    by: str
    text: str


class RolloutDocument(Document):
    """A rollout: its versions, where it stands, what is known, what was promised and what happened.

    `verdict` is that of the result, "can't tell yet" before the first look.
    """

    number: int
    name: str
    model: str
    versions: VersionsDocument
    mode: RolloutMode
    state: RolloutState
    verdict: RolloutVerdict
    share: float
    started_at: Moment
    ended_at: Moment | None
    by: str
    release: str
    follows: int | None
    result: RolloutResultDocument | None
    plan: RolloutPlanDocument | None
    events: list[RolloutEventDocument]


class RolloutsDocument(Document):
    """The rollouts of a store, the newest first."""

    rollouts: list[RolloutDocument]


def result_document(result: RolloutResult) -> RolloutResultDocument:
    """A result as a document."""
    return RolloutResultDocument(
        verdict=result.verdict,
        loss=LossDocument(name=result.loss, title=result.title, unit=result.unit),
        champion=result.champion,
        candidate=result.candidate,
        difference=_difference(result.interval),
        at_random=_difference(result.at_random),
        min_effect=result.min_effect,
        wrong=result.wrong,
        missing_labels=result.missing_labels,
        rows=result.rows,
        labels=result.labelled,
        disagreements=result.disagreements,
        disagreements_without_label=result.missing,
        unusable=result.unusable,
        failed=result.failed,
        dispersion=result.dispersion,
        widths=None
        if result.widths is None
        else WidthsDocument(
            rows=result.widths.rows, days=result.widths.days, missing_labels=result.widths.missing_labels
        ),
        decided=None
        if result.decided is None or result.decided_at is None
        else DecidedDocument(verdict=result.decided, at=result.decided_at),
        needed=None
        if result.needed is None
        else NeededDocument(
            rows=result.needed.rows, labels=result.needed.labels, windows=result.needed.windows, days=result.needed.days
        ),
        promotion=PromotionDocument(allowed=result.promotable, require=result.require, reasons=list(result.reasons)),
        obstacles=list(result.obstacles),
        harm=HarmDocument(e_value=result.harm, threshold=1.0 / result.wrong, reached=result.harmful),
        guards=[_guard(guard) for guard in result.guards],
        looks=[_look(look) for look in result.looks],
        windows=[_window(window) for window in result.windows],
    )


def replay_document(
    result: RolloutResult, notes: Sequence[str], record: RolloutRecord | None = None, scored: int | None = None
) -> ReplayDocument:
    """A replay as a document. `record`: the rollout in the store, of a replay of a traffic log."""
    document = result_document(result)
    versions = None
    if record is not None:
        versions = VersionsDocument(champion=record.champion, candidate=record.candidate)
    return ReplayDocument(
        **{name: getattr(document, name) for name in RolloutResultDocument.model_fields},
        rollout=None if record is None else record.number,
        model=None if record is None else record.model,
        versions=versions,
        scored=scored,
        notes=list(notes),
    )


def rollout_document(record: RolloutRecord, events: Sequence[RolloutEvent]) -> RolloutDocument:
    """A rollout as a document, with what happened in it."""
    return RolloutDocument(
        number=record.number,
        name=record.name,
        model=record.model,
        versions=VersionsDocument(champion=record.champion, candidate=record.candidate),
        mode=record.mode,
        state=record.state,
        verdict="can't tell yet" if record.result is None else record.result.verdict,
        share=record.share,
        started_at=record.started_at,
        ended_at=record.ended_at,
        by=record.by,
        release=record.release,
        follows=record.follows,
        result=None if record.result is None else result_document(record.result),
        plan=None if record.plan is None else plan_document(record.plan),
        events=[RolloutEventDocument(at=event.at, kind=event.kind, by=event.by, text=event.text) for event in events],
    )


def plan_document(plan: RolloutPlan) -> RolloutPlanDocument:
    """A plan as a document."""
    return RolloutPlanDocument(
        at=plan.at,
        rows_per_day=plan.rows_per_day,
        keys_per_day=None if plan.keys_per_day is None else list(plan.keys_per_day),
        disagreement=plan.disagreement,
        spread=plan.spread,
        coverage=plan.coverage,
        label_delay_days=list(plan.label_delay_days),
        measured_on=plan.measured_on,
        furthest_days=plan.furthest_days,
        last_guard=plan.last_guard,
        last_guard_days=plan.last_guard_days,
        day_spread=None if plan.day_spread is None else list(plan.day_spread),
        days_seen=plan.days_seen,
        promises=[
            PromiseDocument(
                effect=promise.effect,
                verdict=promise.verdict,
                shares=list(promise.shares),
                days=list(promise.days),
                rows=list(promise.rows),
                labels=list(promise.labels),
            )
            for promise in plan.promises
        ],
    )


def _difference(interval: RolloutInterval) -> DifferenceDocument:
    return DifferenceDocument(mean=interval.mean, low=interval.low, high=interval.high, verdict=interval.verdict)


def _guard(guard: RolloutGuard) -> GuardDocument:
    return GuardDocument(
        name=guard.name,
        difference=_difference(guard.interval),
        limit=guard.limit,
        rows=guard.rows,
        passes=guard.passes,
        e_value=guard.harm,
    )


def _look(look: RolloutLook) -> LookDocument:
    return LookDocument(at=look.at, rows=look.rows, labels=look.labelled, difference=_difference(look.interval))


def _window(window: RolloutWindow) -> RolloutWindowDocument:
    return RolloutWindowDocument(
        start=window.start,
        end=window.end,
        rows=window.rows,
        labels=window.labelled,
        disagreements=window.disagreements,
        disagreements_without_label=window.missing,
        difference=window.difference,
    )
