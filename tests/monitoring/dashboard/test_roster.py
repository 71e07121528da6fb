from __future__ import annotations

from monitoring.dashboard.roster import mentioning, read_entries, read_roster
from monitoring.dashboard.sources import Source
from monitoring.dashboard.web.pages import Pages

AWAY = Source(name="away", url="sqlite:////nowhere/at/all.db", files=())


def test_deployments_are_listed_and_stores_that_cannot_be_read_are_named(pages: Pages) -> None:
    roster = read_roster((*pages.sources, AWAY), pages.clock())
    assert [one.place for one in roster.found] == [("shop", 1), ("shop", 2)]
    assert [source.name for source, _ in roster.unreadable] == ["away"]


def test_an_entry_has_the_standing_that_decided_its_place(pages: Pages) -> None:
    found = read_roster(pages.sources, pages.clock()).found
    entries = read_entries(pages.sources, found[::-1], pages.clock())
    assert [one.summary.number for one in entries] == [2, 1]
    for entry, one in zip(entries, found[::-1], strict=True):
        assert (entry.standing.state, entry.standing.acknowledged) == (one.state, one.acknowledged)
        assert entry.standing.snoozed == one.snoozed


def test_incidents_are_searched_where_they_can_be_read(pages: Pages) -> None:
    sources = (*pages.sources, AWAY)
    assert mentioning(sources, "OverConfident") == {("shop", 1)}
    assert mentioning(sources, "100%") == mentioning(sources, "") == frozenset()
