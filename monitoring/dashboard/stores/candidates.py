"""Which deployments the overview shows, and in which order, before anything else of them is read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Literal, TypeAlias

from monitoring.dashboard.stores.named_store import Ownership
from monitoring.dashboard.stores.standing import STATES, State, facts_of, is_seen
from monitoring.store.outlines import DeploymentOutline

#: Rows of one page.
PAGE_ROWS = 50

#: What deployments may stand together by.
Group: TypeAlias = Literal["", "model", "team"]

#: Where a deployment is: the name of its store, and its number there.
Place: TypeAlias = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the reader asks of the overview. `group`: by what deployments stand together; empty: worst first."""

    text: str = ""
    state: str = ""
    page: int = 1
    group: Group = ""
    team: str = ""
    tag: str = ""
    wall: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A deployment that the overview may show. `unread`: why what is known of it is what was read last; else empty."""

    store: str
    outline: DeploymentOutline
    facts: tuple[State, ...]
    acknowledged: bool
    snoozed: int
    ownership: Ownership
    unread: str = ""

    @property
    def state(self) -> State:
        """Its state: the worst of the facts."""
        return self.facts[0]

    @property
    def place(self) -> Place:
        """Where it is."""
        return self.store, self.outline.number

    def group_name(self, group: Group) -> str:
        """The name of its group; empty where it has none."""
        return self.outline.model if group == "model" else self.ownership.team if group == "team" else ""


def candidates(
    store: str,
    outlines: Sequence[DeploymentOutline],
    owners: Mapping[str, Ownership],
    now: datetime,
    unread: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Candidate, ...]:
    """The deployments of one store that are in use.

    Args:
        unread: Why the config or the store of a deployment of that name cannot be read; empty where they can.
    """
    nobody = Ownership()
    result = []
    for outline in outlines:
        pages = [incident for incident in outline.incidents if incident.level == "page"]
        reason = unread.get(outline.name, "")
        result.append(
            Candidate(
                store=store,
                outline=outline,
                facts=facts_of(outline, now, reason),
                acknowledged=bool(pages) and all(is_seen(page, now) for page in pages),
                snoozed=sum(incident.is_snoozed(now) for incident in outline.incidents),
                ownership=owners.get(outline.name, nobody),
                unread=reason,
            )
        )
    return tuple(result)


def chosen(
    candidates: Sequence[Candidate], question: Question, mentioning: Collection[Place] = frozenset()
) -> tuple[Candidate, ...]:
    """The deployments that the reader asked for, worst first; in groups, the group of the worst deployment first."""
    text = question.text.casefold()
    matches = [
        candidate
        for candidate in candidates
        if (not question.state or question.state in candidate.facts)
        and (not question.team or candidate.ownership.team == question.team)
        and (not question.tag or question.tag in candidate.ownership.tags)
        and (not text or candidate.place in mentioning or text in _words(candidate))
    ]
    matches.sort(key=_rank)
    if not question.group:
        return tuple(matches)
    groups: dict[str, list[Candidate]] = {}
    for candidate in matches:
        groups.setdefault(candidate.group_name(question.group), []).append(candidate)
    named = [group for name, group in groups.items() if name]
    return tuple(candidate for group in (*named, groups.get("", [])) for candidate in group)


def page_of(candidates: Sequence[Candidate], page: int) -> tuple[Candidate, ...]:
    """The rows of one page, from 1."""
    return tuple(candidates[(page - 1) * PAGE_ROWS : page * PAGE_ROWS])


def counts(candidates: Sequence[Candidate]) -> tuple[tuple[State, int], ...]:
    """Of how many deployments each fact holds, worst first; facts of none are left out."""
    by_state = dict.fromkeys(STATES, 0)
    for candidate in candidates:
        for fact in candidate.facts:
            by_state[fact] += 1
    return tuple((state, count) for state, count in by_state.items() if count)


def _words(candidate: Candidate) -> str:
    """What a search looks at, beside incidents."""
    outline, owner = candidate.outline, candidate.ownership
    return "\n".join(
        (outline.name, outline.model, owner.team, *owner.tags, outline.failure, candidate.unread)
    ).casefold()


def _rank(candidate: Candidate) -> tuple[int, bool, float, str]:
    pages = [incident.opened_at.timestamp() for incident in candidate.outline.incidents if incident.level == "page"]
    return STATES.index(candidate.state), candidate.acknowledged, -max(pages, default=0.0), candidate.outline.name
