"""The deployments of all stores: what decides their place on a page, and those that it shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from monitoring.dashboard.sources import Source
from monitoring.dashboard.views.candidates import Candidate, Place, candidates
from monitoring.dashboard.views.overview import Entry, entry_of
from monitoring.errors import PitfallsError


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """The deployments in use of some stores, and the stores that cannot be read, with the reason."""

    found: tuple[Candidate, ...]
    unreadable: tuple[tuple[Source, PitfallsError], ...]


def read_roster(sources: Sequence[Source], now: datetime) -> Roster:
    """Read what decides the place of every deployment. Cost: some 40 µs for each.

    Args:
        sources: The stores.
        now: The time, aware.

    Returns:
        The deployments in the order of the stores and of creation.
    """
    found: list[Candidate] = []
    unreadable: list[tuple[Source, PitfallsError]] = []
    for source in sources:
        try:
            found += candidates(source.name, source.store().outlines(), source.owners(), now)
        except PitfallsError as error:
            unreadable.append((source, error))
    return Roster(found=tuple(found), unreadable=tuple(unreadable))


def mentioning(sources: Sequence[Source], text: str) -> frozenset[Place]:
    """The deployments with an open incident that has a text; none where a store cannot be read.

    Args:
        sources: The stores.
        text: The text; an empty one finds nothing.

    Returns:
        Where they are.
    """
    found: set[Place] = set()
    for source in sources if text else ():
        try:
            found |= {(source.name, number) for number in source.store().mentioning(text)}
        except PitfallsError:
            continue
    return frozenset(found)


def read_entries(
    sources: Sequence[Source], shown: Sequence[Candidate], now: datetime, shown_in: str = ""
) -> tuple[Entry, ...]:
    """Read the deployments that a page shows, with their sentences.

    Args:
        sources: The stores.
        shown: Which, in the order of the page.
        now: The time, aware.
        shown_in: The time zone of their sentences; empty: that of each deployment.

    Returns:
        One entry for each, in the same order; one that is gone since is left out.
    """
    by_source: dict[str, list[int]] = {}
    for one in shown:
        by_source.setdefault(one.source, []).append(one.outline.number)
    read = {
        (source.name, summary.number): replace(summary, shown_in=shown_in)
        for source in sources
        if source.name in by_source
        for summary in source.store().some_summaries(by_source[source.name])
    }
    return tuple(
        entry_of(one.source, read[one.place], now, earlier=one.outline.earlier, ownership=one.ownership)
        for one in shown
        if one.place in read
    )


def by_source(entries: Sequence[Entry]) -> dict[str, list[int]]:
    """The numbers of the deployments of each store."""
    numbers: dict[str, list[int]] = {}
    for one in entries:
        numbers.setdefault(one.source, []).append(one.summary.number)
    return numbers
