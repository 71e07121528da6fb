"""The evidence of a team's deployments under one budget of false pages, in days."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from monitoring.errors import BadInput
from monitoring.records import TeamEvidence

_BUDGET = re.compile(r"\s*(\d+)\s+(?:per|in)\s+(\d+)\s+days?\s*", re.IGNORECASE)

Member = TypeVar("Member", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetBudget:
    """At most `pages` false pages per `days` days, on average, for all deployments of a team together.

    >>> FleetBudget.parse("1 per 90 days").threshold
    90.0
    """

    pages: int
    days: int

    @classmethod
    def parse(cls, text: str) -> FleetBudget:
        """Read a budget from text. `text`: for example ``"1 per 90 days"``."""
        match = _BUDGET.fullmatch(text)
        if match is None or int(match[1]) < 1 or int(match[2]) < 1:
            raise BadInput(
                "Not a budget of a team.",
                got=repr(text),
                expected='"N per D days" with N and D from 1 on',
                fix='Write, for example, "1 per 90 days".',
            )
        return cls(pages=int(match[1]), days=int(match[2]))

    @property
    def threshold(self) -> float:
        """The evidence at which the team is paged: days per false page."""
        return self.days / self.pages

    def __str__(self) -> str:
        return f"{self.pages} per {self.days} days"


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetWindow(Generic[Member]):
    """What one judged window adds. `log_e`: log of the window's e-value (see `log_e_value`)."""

    member: Member
    days: float
    log_e: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetState(Generic[Member]):
    """The evidence of each deployment after some windows; deployments without evidence are left out."""

    log_evidence: Mapping[Member, float] = field(default_factory=dict)

    @property
    def log_total(self) -> float:
        """Log of the sum of all evidence; -inf without any."""
        top = max(self.log_evidence.values(), default=-math.inf)
        if top == -math.inf:
            return -math.inf
        return top + math.log(math.fsum(math.exp(value - top) for value in self.log_evidence.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetPage(Generic[Member]):
    """A page of a team: the deployments that it names, each with its share of all evidence, largest first."""

    log_evidence: float
    members: tuple[tuple[Member, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetStep:
    """A deployment of a team after one of its windows.

    Attributes:
        log_evidence: Log of its evidence for the team; -inf where it is part of an alarm.
        page: What the team's evidence came to at this window; None where that is below the threshold.
    """

    log_evidence: float = -math.inf
    alarm: bool = False
    page: FleetPage[int] | None = None
    days: float = 0.0

    def evidence(self, share: FleetShare) -> TeamEvidence | None:
        """What pages the deployment; None where nothing does."""
        if not self.alarm:
            return None
        if self.page is None:
            return TeamEvidence()
        return TeamEvidence(
            log_evidence=min(self.page.log_evidence, 700.0),
            threshold=share.budget.threshold,
            budget=str(share.budget),
            share=dict(self.page.members)[share.member],
            others=len(self.page.members) - 1,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetShare:
    """What a deployment knows of its team before a window of its own: how its page level alarms.

    Attributes:
        log_evidence: Log of its own evidence for the team.
        others: The evidence of the others, as logs; those that are part of an alarm are left out.
    """

    budget: FleetBudget
    member: int
    members: int
    log_evidence: float = -math.inf
    alarmed: bool = False
    others: Mapping[int, float] = field(default_factory=dict)

    def after(self, log_before: float, log_after: float, days: float) -> FleetStep:
        """One window on.

        An alarm stays until the level answers it, as that of a deployment by itself does, and adds no evidence to the
        team's meanwhile; it ends by itself where the level has less evidence than one window without harm has.

        Args:
            log_before: Log of the evidence of the page level before the window, without its calibration.
        """
        if self.alarmed and log_after > 0.0:
            return FleetStep(alarm=True)
        state = FleetState(log_evidence={**self.others, self.member: self.log_evidence})
        log_e = 0.0 if log_before == log_after == -math.inf else log_e_value(log_before, log_after)
        after, page = step(state, [FleetWindow(member=self.member, days=days, log_e=log_e)], self.members, self.budget)
        return FleetStep(
            log_evidence=after.log_evidence.get(self.member, -math.inf),
            alarm=page is not None and self.member in dict(page.members),
            page=page,
            days=days / max(self.members, 1),
        )


def log_e_value(log_before: float, log_after: float) -> float:
    """Log of a window's e-value, from a deployment's evidence before and after it.

    The evidence of a deployment's level is an e-detector: given all that was before, its expectation after a window is
    at most M + 1, where it was M. So M' / (M + 1) is an e-value.

    Args:
        log_before: Log of the evidence before; -inf at the beginning, and after an alarm.

    >>> log_e_value(-math.inf, math.log(3.0)) == math.log(3.0)
    True
    """
    return log_after - math.log1p(math.exp(min(log_before, 700.0)))


def step(
    state: FleetState[Member], windows: Iterable[FleetWindow[Member]], members: int, budget: FleetBudget
) -> tuple[FleetState[Member], FleetPage[Member] | None]:
    """The windows that were judged at one time, each of another deployment.

    Each deployment's evidence goes on by N ← e (N + d / n): a window of d days begins a new sum with its share of the
    time that passes, for n deployments. The team is paged where all evidence together reaches the budget's threshold.
    The page names the deployments with the largest evidence, as many as reach the threshold together; theirs begins
    anew, and that of the others goes on.

    Guarantee: the expected number of pages in T days without any harm is at most T over the threshold, however
    deployments depend on each other, and whichever come and go, if each window's e-value has expectation at most 1
    given everything before. Proof: docs/method.md.

    Returns:
        The evidence after, and a page, None where there is none.
    """
    evidence = dict(state.log_evidence)
    for window in windows:
        start = math.log(window.days / max(members, 1))
        evidence[window.member] = window.log_e + _log_add(evidence.get(window.member, -math.inf), start)
    after = replace(state, log_evidence={m: value for m, value in evidence.items() if value > -math.inf})
    total, threshold = after.log_total, math.log(budget.threshold)
    if total < threshold:
        return after, None
    named = _named(after.log_evidence, threshold)
    page = FleetPage(
        log_evidence=total, members=tuple((member, math.exp(after.log_evidence[member] - total)) for member in named)
    )
    return replace(after, log_evidence={m: v for m, v in after.log_evidence.items() if m not in named}), page


def _named(log_evidence: Mapping[Member, float], threshold: float) -> Sequence[Member]:
    """The deployments with the largest evidence, as many as reach a threshold together."""
    ordered = sorted(log_evidence, key=lambda member: (-log_evidence[member], str(member)))
    for count in range(1, len(ordered) + 1):
        if FleetState(log_evidence={member: log_evidence[member] for member in ordered[:count]}).log_total >= threshold:
            return ordered[:count]
    return ordered


def _log_add(some: float, other: float) -> float:
    low, high = sorted((some, other))
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))
