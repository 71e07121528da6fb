"""The ledger of a team: what its deployments have as evidence together, what each took, and when that was a page."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from monitoring.evidence.fleet import (
    FleetBudget,
    FleetPage,
    FleetShare,
    FleetState,
    FleetStep,
    FleetWindow,
    log_e_value,
    step,
)
from monitoring.records import DeploymentRecord, FleetEntry, FleetMember, StoredFleetPage, WindowRecord

if TYPE_CHECKING:
    from monitoring.store.store import Store  # the store loads SQLAlchemy, which `init` does without

_DAY = timedelta(days=1)

#: A deployment counts among its team's until its last window is so long ago.
QUIET = timedelta(days=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPage:
    """A page of the team: when, and the numbers of the deployments that it names, each with its share."""

    at: datetime
    evidence: float
    members: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What the team's evidence came to.

    Attributes:
        until: The end of the last window; None before any.
        team: The team whose runs keep this ledger; empty: no run does, it says what would have been.
    """

    budget: FleetBudget
    until: datetime | None
    evidence: float
    members: tuple[tuple[int, float], ...]
    pages: tuple[LedgerPage, ...]
    deployments: dict[int, DeploymentRecord]
    team: str = ""
    spent: dict[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """A judged window of a deployment, as the team's evidence takes it."""

    number: int
    end: datetime
    window: FleetWindow[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """The team of a deployment: its name, and its budget by the deployment's config."""

    name: str
    budget: FleetBudget

    def share(self, store: Store, deployment: int, at: datetime) -> FleetShare:
        """What a deployment knows of its team before a window that ends at a time. Cost: a row for each deployment."""
        members = store.fleets.members(self.name)
        others = [
            member for member in members if member.deployment != deployment and at - member.counted_until <= QUIET
        ]
        member = next((member for member in members if member.deployment == deployment), None)
        return FleetShare(
            budget=_strictest(others, self.budget),
            member=deployment,
            members=len(others) + 1,
            log_evidence=-math.inf if member is None else member.log_evidence,
            alarmed=member is not None and member.alarmed,
            others={member.deployment: member.log_evidence for member in others if not member.alarmed},
        )

    def entry(self, deployment: int, step: FleetStep, at: datetime) -> FleetEntry:
        """What a window that ends at a time changes of the team."""
        page, budget = step.page, str(self.budget)
        stored = None
        if page is not None:
            stored = StoredFleetPage(
                deployment=deployment, at=at, budget=budget, log_evidence=page.log_evidence, members=page.members
            )
        return FleetEntry(
            team=self.name,
            budget=budget,
            at=at,
            log_evidence=step.log_evidence,
            alarmed=step.alarm,
            days=step.days,
            page=stored,
        )


def _strictest(members: Sequence[FleetMember], budget: FleetBudget) -> FleetBudget:
    """The strictest budget of a team's deployments, one that is not among them yet included."""
    return max(
        (budget, *(FleetBudget.parse(member.budget) for member in members)),
        key=lambda limit: (limit.threshold, limit.days),
    )


def kept_ledger(store: Store, team: str, budget: FleetBudget) -> Ledger:
    """The ledger that the runs of a team's deployments keep."""
    members = store.fleets.members(team)
    state = FleetState(log_evidence={member.deployment: member.log_evidence for member in members})
    return Ledger(
        budget=_strictest(members, budget),
        until=max((member.counted_until for member in members), default=None),
        evidence=_plain(state.log_total),
        members=_ranked(state),
        pages=tuple(
            LedgerPage(at=page.at, evidence=_plain(page.log_evidence), members=page.members)
            for page in store.fleets.pages(team)
        ),
        deployments={record.number: record for record in store.deployments.all() if record.number is not None},
        team=team,
        spent={member.deployment: member.days for member in members},
    )


def _ranked(state: FleetState[int]) -> tuple[tuple[int, float], ...]:
    evidence = ((number, _plain(value)) for number, value in state.log_evidence.items() if value > -math.inf)
    return tuple(sorted(evidence, key=lambda member: (-member[1], member[0])))


def _plain(log_evidence: float) -> float:
    return math.exp(min(log_evidence, 700.0))


def ledger(store: Store, budget: FleetBudget) -> Ledger:
    """Add up the evidence of all deployments of a store, from their first window on. Nothing is stored.

    Windows count as of their end. A deployment that was paged by its own budget begins anew there. The evidence is that
    before the calibration of its level, which e-values do not have.

    Cost: some 100 µs a window of the store.
    """
    deployments = {record.number: record for record in store.deployments.all() if record.number is not None}
    judged = sorted(
        (entry for number, record in deployments.items() for entry in _windows(store, number, record)),
        key=attrgetter("end", "number"),
    )
    state: FleetState[int] = FleetState()
    last: dict[int, datetime] = {}
    pages, spent = [], dict.fromkeys(deployments, 0.0)
    for end, group in groupby(judged, key=attrgetter("end")):
        now = list(group)
        active = {number for number, last_end in last.items() if end - last_end <= QUIET} | {
            entry.number for entry in now
        }
        state, page = step(state, [entry.window for entry in now], len(active), budget)
        for entry in now:
            spent[entry.number] += entry.window.days / max(len(active), 1)
        last |= {entry.number: end for entry in now}
        if page is not None:
            pages.append(_page(end, page))
    return Ledger(
        budget=budget,
        until=judged[-1].end if judged else None,
        evidence=_plain(state.log_total),
        members=_ranked(state),
        pages=tuple(pages),
        deployments=deployments,
        spent=spent,
    )


def _windows(store: Store, number: int, record: DeploymentRecord) -> list[_Judged]:
    scale = _log_scale(store, number)
    threshold = math.log(record.page_threshold)
    before, judged = -math.inf, []
    for window in store.windows.read(number, scores=False):
        after = window.page_log_evidence - scale
        value = 0.0 if before == after == -math.inf else log_e_value(before, after)  # 0: nothing was bet on yet
        days = (window.end - window.start) / _DAY
        judged.append(_Judged(number=number, end=window.end, window=FleetWindow(member=number, days=days, log_e=value)))
        before = _start(window, after, threshold)
    return judged


def _start(window: WindowRecord, after: float, threshold: float) -> float:
    """The evidence that the next window goes on from: none after an alarm."""
    return -math.inf if window.page_log_evidence >= threshold else after


def _log_scale(store: Store, number: int) -> float:
    """The calibration of a deployment's page level; 0 before it is known."""
    text = dict(store.deployments.states(number)).get("page", "")
    log_scale = json.loads(text).get("log_scale") if text else None
    return 0.0 if log_scale is None else float.fromhex(log_scale)


def _page(at: datetime, page: FleetPage[int]) -> LedgerPage:
    return LedgerPage(at=at, evidence=_plain(page.log_evidence), members=page.members)
