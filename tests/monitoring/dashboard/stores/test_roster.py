from __future__ import annotations

from monitoring.dashboard.stores.named_store import NamedStore
from monitoring.dashboard.stores.roster import mentioning, read_entries, read_roster
from monitoring.dashboard.stores.stores import Stores

AWAY = NamedStore(name="away", url="sqlite:////nowhere/at/all.db", files=())


def test_deployments_are_listed_and_stores_that_cannot_be_read_are_named(stores: Stores) -> None:
    roster = read_roster((*stores.stores, AWAY), stores.clock())
    assert [one.place for one in roster.candidates] == [("shop", 1), ("shop", 2)]
    assert [source.name for source, _ in roster.unreadable] == ["away"]


def test_an_entry_has_the_standing_that_decided_its_place(stores: Stores) -> None:
    roster = read_roster(stores.stores, stores.clock())
    found = roster.candidates
    entries = read_entries(roster, found[::-1], stores.clock())
    assert [one.summary.number for one in entries] == [2, 1]
    for entry, one in zip(entries, found[::-1], strict=True):
        assert (entry.standing.state, entry.standing.acknowledged) == (one.state, one.acknowledged)
        assert entry.standing.snoozed == one.snoozed


def test_incidents_are_searched_where_they_can_be_read(stores: Stores) -> None:
    stores_read = (*stores.stores, AWAY)
    assert mentioning(stores_read, "OverConfident") == {("shop", 1)}
    assert mentioning(stores_read, "100%") == mentioning(stores_read, "") == frozenset()
