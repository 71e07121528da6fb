"""The ledger of a team: what all deployments of a store have as evidence together, and when that was a page."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter

from monitoring.evidence.fleet import FleetBudget, FleetPage, FleetState, FleetWindow, log_e_value, step
from monitoring.records import WindowRecord
from monitoring.store.deployments import DeploymentRecord
from monitoring.store.store import Store

#: A deployment counts among the team's until its last window is so old.
QUIET = timedelta(days=8)

_DAY = timedelta(days=1)


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
        budget: The team's budget.
        until: The end of the last window; None before any.
        evidence: The sum of all evidence then; the team is paged where it reaches the budget's threshold.
        members: The deployments with evidence, by number, the largest first.
        pages: The pages, in order.
        deployments: All deployments of the store, by number.
    """

    budget: FleetBudget
    until: datetime | None
    evidence: float
    members: tuple[tuple[int, float], ...]
    pages: tuple[LedgerPage, ...]
    deployments: dict[int, DeploymentRecord]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """A judged window of a deployment, as the team's evidence takes it."""

    number: int
    end: datetime
    window: FleetWindow[int]


def ledger(store: Store, budget: FleetBudget) -> Ledger:
    """Add up the evidence of all deployments of a store, from their first window on. Nothing is stored.

    Windows count as of their end. A deployment that was paged by its own budget begins anew there. The evidence is that
    before the calibration of its level, which e-values do not have.

    Cost: some 100 µs a window of the store.
    """
    deployments = {record.number: record for record in store.deployments.all() if record.number is not None}
    judged = sorted(
        (one for number, record in deployments.items() for one in _windows(store, number, record)),
        key=attrgetter("end", "number"),
    )
    state: FleetState[int] = FleetState()
    last: dict[int, datetime] = {}
    pages = []
    for end, group in groupby(judged, key=attrgetter("end")):
        now = list(group)
        active = {number for number, seen in last.items() if end - seen <= QUIET} | {one.number for one in now}
        state, page = step(state, [one.window for one in now], len(active), budget)
        last |= {one.number: end for one in now}
        if page is not None:
            pages.append(_page(end, page))
    total = state.log_total
    members = sorted(((number, math.exp(value)) for number, value in state.log_evidence.items()), key=lambda m: -m[1])
    return Ledger(
        budget=budget,
        until=judged[-1].end if judged else None,
        evidence=0.0 if total == -math.inf else math.exp(total),
        members=tuple(members),
        pages=tuple(pages),
        deployments=deployments,
    )


def _windows(store: Store, number: int, record: DeploymentRecord) -> list[_Judged]:
    scale = _log_scale(store, number)
    threshold = math.log(record.page_threshold)
    before, found = -math.inf, []
    for window in store.windows.read(number, scores=False):
        after = window.page_log_evidence - scale
        value = 0.0 if before == after == -math.inf else log_e_value(before, after)  # 0: nothing was bet on yet
        days = (window.end - window.start) / _DAY
        found.append(_Judged(number=number, end=window.end, window=FleetWindow(member=number, days=days, log_e=value)))
        before = _start(window, after, threshold)
    return found


def _start(window: WindowRecord, after: float, threshold: float) -> float:
    """The evidence that the next window goes on from: none after an alarm."""
    return -math.inf if window.page_log_evidence >= threshold else after


def _log_scale(store: Store, number: int) -> float:
    """The calibration of a deployment's page level; 0 before it is known."""
    text = dict(store.deployments.states(number)).get("page", "")
    found = json.loads(text).get("log_scale") if text else None
    return 0.0 if found is None else float.fromhex(found)


def _page(at: datetime, page: FleetPage[int]) -> LedgerPage:
    return LedgerPage(at=at, evidence=math.exp(page.log_evidence), members=page.members)
