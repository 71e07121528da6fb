"""The life of a rollout: what a look at the evidence leads to, and what people may do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from monitoring.config.rollout_section import DecideSection
from monitoring.errors import BadInput
from monitoring.records import RolloutEvent, RolloutRecord, RolloutResult, RolloutState
from monitoring.rollout.evidence.terms import CANNOT_TELL, FEW_DAYS
from monitoring.rollout.rollout_settings import rules_of_text
from monitoring.watches.descriptions import lower_first

#: What is to be done next, beyond keeping the record: move the label to the candidate, or back to the former champion.
Next: TypeAlias = Literal["", "promote", "roll back"]

#: How much time evidence has to be of before a candidate is promoted and nobody is asked: weekdays may differ.
WEEK = timedelta(days=7)

#: Who does what nobody asked for.
ITSELF = "pitfalls"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a look leads to."""

    record: RolloutRecord
    events: tuple[RolloutEvent, ...] = ()
    do: Next = ""


def ended(record: RolloutRecord, state: RolloutState, at: datetime, by: str, text: str) -> Step:
    """A rollout that ends."""
    event = RolloutEvent(at=at, kind=state, by=by, text=text)
    return Step(record=replace(record, state=state, ended_at=at), events=(event,))


def next_step(record: RolloutRecord, result: RolloutResult, decide: DecideSection, now: datetime) -> Step:
    """What a look at the evidence leads to.

    Returns:
        The step. A candidate that is worse, or harmful, or does not differ where it has to be better, is not promoted;
        one that may be promoted is, or waits for a person; a promoted one that does harm is taken back, or a person is
        told to.
    """
    record = replace(record, result=result)
    if record.mode == "watch":
        return _watched(record, result, decide, now)
    versions = f"version {record.candidate}"
    stays = f"version {record.champion} stays"
    if result.obstacles:
        return _out_of_time(record, now, f"{result.obstacles[0]} {stays.capitalize()}.") or Step(record=record)
    harmed = [guard.name for guard in result.guards if guard.interval.verdict == "worse"]
    # In the dark a version does nobody harm: whether it is worse on days like these can be waited for.
    harms = result.harmful and (record.mode == "split" or bool(harmed))
    if result.verdict == "worse" or harms:
        why = f"{versions.capitalize()} is worse: {interval_text(result)}"
        if result.verdict != "worse":
            why = f"{versions.capitalize()} does harm by {', '.join(harmed) or 'its guards together'}"
        return ended(record, "stopped", now, ITSELF, f"{why}; {stays}.")
    if result.promotable:
        return _promotable(record, result, decide, now)
    if result.verdict == "no difference that matters" and result.require == "better":
        text = f"{versions.capitalize()} does not differ by what matters: {interval_text(result)}; {stays}."
        return ended(record, "stopped", now, ITSELF, text)
    return _out_of_time(record, now, f"Nothing is decided: {interval_text(result)}; {stays}.") or Step(record=record)


def interval_text(result: RolloutResult) -> str:
    """The difference in words."""
    interval = result.interval
    title = lower_first(result.title)
    bounds = f"{interval.low:+.4f} to {interval.high:+.4f}"
    return f"its {title} differs by {interval.mean:+.4f} ({bounds}) on {result.rows:,} rows"


def undecided_text(result: RolloutResult) -> str:
    """What keeps a result from a verdict, in one sentence; empty where there is a verdict."""
    if result.verdict != CANNOT_TELL:
        return ""
    told = [*result.obstacles, *(reason for reason in result.reasons if reason.startswith(FEW_DAYS))]
    if told:
        return told[0]
    interval, needed = result.interval, result.needed
    why = f"{result.rows:,} rows are few for so small a difference"
    if result.at_random.verdict != CANNOT_TELL:
        why = f"{result.missing:,} rows that need a label have none"
    elif result.dispersion > 1.0:
        why = f"days differ {result.dispersion:.1f} times as much as their rows explain"
    ahead = "" if needed is None else f"; at this rate it takes about {needed.days:,.0f} more days"
    return (
        f"No verdict, as the difference may lie from {interval.low:+.4f} to {interval.high:+.4f} and "
        f"{result.min_effect:g} either way matters: {why}{ahead}."
    )


def harm_text(e_value: float | None) -> str:
    """An e-value in words.

    >>> harm_text(0.0432), harm_text(21.3), harm_text(4e9), harm_text(None)
    ('0.043', '21', 'over 1,000', 'not known')
    """
    if e_value is None:
        return "not known"
    return "over 1,000" if e_value > 1e3 else f"{e_value:.0f}" if e_value >= 10.0 else f"{e_value:.2g}"


def _promotable(record: RolloutRecord, result: RolloutResult, decide: DecideSection, now: datetime) -> Step:
    text = (
        f"Version {record.candidate} may be promoted, as {result.require} is required: the verdict is "
        f"{result.verdict!r}, {interval_text(result)}."
    )
    promise = promise_text(record, now)
    event = RolloutEvent(at=now, kind="decided", by=ITSELF, text=f"{text}{promise}")
    events = () if record.state == "decided" else (event,)
    span = result.windows[-1].end - result.windows[0].start
    do: Next = "promote" if decide.promote == "auto" and span >= WEEK else ""
    return Step(record=replace(record, state="decided"), events=events, do=do)


def promise_text(record: RolloutRecord, now: datetime) -> str:
    """Whether the verdict came in the time promised, as a further sentence; empty without a promise for it."""
    promise = promise_kept(record, now)
    if promise is None:
        return ""
    days, promised, in_time = promise
    return f" It took {days:.3g} days; {promised:.3g} were promised{'' if in_time else ', which is late'}."


def promise_kept(record: RolloutRecord, now: datetime) -> tuple[float, float, bool] | None:
    """What a verdict took and what was promised for it, in days, and whether it came in time.

    The promise is the last share's for the largest difference that is not larger than the one found.

    Returns:
        None without a plan, a verdict, or a promise for it.
    """
    if record.plan is None or record.result is None:
        return None
    size = abs(record.result.interval.mean)
    smaller = [
        (abs(promise.effect), promise.days[-1])
        for promise in record.plan.promises
        if promise.verdict == record.result.verdict and (abs(promise.effect) <= size or promise.effect == 0.0)
    ]
    promised = max(smaller, default=(0.0, None))[1]
    if promised is None:
        return None
    days = (now - record.started_at) / timedelta(days=1)
    return days, promised, days <= promised


def _out_of_time(record: RolloutRecord, now: datetime, text: str) -> Step | None:
    """The end of a rollout whose time is over; None where it is not."""
    if record.state == "decided" or now < record.started_at + rules_of_text(record.settings).give_up:
        return None
    return ended(record, "gave up", now, ITSELF, text)


def _watched(record: RolloutRecord, result: RolloutResult, decide: DecideSection, now: datetime) -> Step:
    """After a promotion: the former champion answers in the dark, and harm leads back to it."""
    back = f"version {record.candidate} to version {record.champion}"
    if not result.obstacles and (result.verdict == "worse" or result.harmful):
        if decide.rollback == "auto":
            return Step(record=record, do="roll back")
        if record.state == "decided":
            return Step(record=record)
        text = (
            f"Version {record.candidate} is worse than version {record.champion} was: {interval_text(result)}. Go back "
            f"from {back}: `pitfalls rollout rollback`."
        )
        return Step(
            record=replace(record, state="decided"),
            events=(RolloutEvent(at=now, kind="decided", by=ITSELF, text=text),),
        )
    if now >= record.started_at + decide.watch_after:
        text = f"Version {record.candidate} was watched after its promotion: {result.verdict}, {interval_text(result)}."
        return ended(record, "finished", now, ITSELF, text)
    return Step(record=record)


def check_goes_on(record: RolloutRecord) -> None:
    """Raises BadInput for a rollout that has ended."""
    if not record.goes_on:
        raise BadInput(
            "The rollout has ended.",
            got=f"rollout {record.number}, {record.state} on {record.ended_at:%Y-%m-%d %H:%M} UTC",
            expected="one that goes on",
            fix="`pitfalls rollout list` lists them; `pitfalls rollout start` begins another.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What one pass did."""

    record: RolloutRecord
    answered: int
    counted: int
    do: Next = ""
    events: tuple[RolloutEvent, ...] = ()
