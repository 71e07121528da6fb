from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitoring.errors import BadInput, CannotRun
from monitoring.records import IncidentAction, IncidentRecord, WindowRecord
from monitoring.store import Store
from monitoring.store.incident_actions import LONGEST_NAME, LONGEST_TEXT, acted
from tests.monitoring.store.conftest import APRIL, acknowledgement

MakeWindow = Callable[..., WindowRecord]
NOON = APRIL + timedelta(days=1, hours=12)
HOUR = timedelta(hours=1)


def action(kind: Any, **more: Any) -> IncidentAction:
    return IncidentAction(at=NOON, by="operator", kind=kind, **more)


@pytest.fixture
def stored(store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord) -> Store:
    """A store with one open incident."""
    store.commit_window(deployment, window(0), states={}, label_cursor={}, incidents=[incident])
    return store


def test_every_action_is_in_the_log_and_evidence_is_as_it_was(
    stored: Store, deployment: int, incident: IncidentRecord
) -> None:
    actions = (
        acknowledgement(NOON),
        action("snooze", until=NOON + HOUR, until_worse=True),
        action("assign", text="team flights"),
        action("note", text="a broken feed"),
        action("close", text="mended"),
        action("reopen"),
    )
    for one in actions:
        stored.incidents.act(deployment, 1, one)
    (found,) = stored.incidents.read(deployment)
    assert found.actions == actions
    assert (found.owner, found.snoozed_until, found.snoozed_until_worse) == ("team flights", None, False)
    for name in ("watch", "slice", "diagnoses", "recovery", "detail", "opened_at"):
        assert getattr(found, name) == getattr(incident, name)
    assert [event.state for event in found.history] == ["open", "acknowledged"]
    assert stored.incidents.get(deployment, 1) == found
    assert stored.incidents.tracked(deployment) == (replace(found, actions=()),)


def test_a_snooze_lasts_until_its_end_or_until_worse(incident: IncidentRecord) -> None:
    def snoozed(at: datetime, **end: Any) -> bool:
        return acted(incident, action("snooze", **end)).is_snoozed(at)

    assert [snoozed(NOON + late * HOUR, until=NOON + HOUR) for late in (0.0, 0.9, 1.0)] == [True, True, False]
    assert snoozed(NOON + 9999 * HOUR, until_worse=True)
    assert not snoozed(NOON, until=NOON, until_worse=True)
    assert not replace(acted(incident, action("snooze", until_worse=True)), state="closed").is_snoozed(NOON)
    with pytest.raises(BadInput, match="A snooze needs an end"):
        acted(incident, action("snooze"))


@pytest.mark.parametrize(("until_worse", "ends"), [(True, True), (False, False)])
def test_what_becomes_worse_ends_a_snooze_that_says_so(
    stored: Store, deployment: int, window: MakeWindow, *, until_worse: bool, ends: bool
) -> None:
    until = None if until_worse else NOON + timedelta(days=9)
    before = stored.incidents.act(deployment, 1, action("snooze", until=until, until_worse=until_worse))
    worse = before.entered("worse", APRIL + timedelta(days=2))
    stored.commit_window(deployment, window(1), states={}, label_cursor={}, incidents=[worse])
    (found,) = stored.incidents.read(deployment)
    assert found.is_snoozed(NOON + timedelta(days=2)) is not ends
    assert [one.state for one in stored.outbox.pending(deployment)] == ["open", "worse"]


def test_closing_is_at_once_and_is_undone_until_a_window_takes_account_of_it(
    stored: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    closed = stored.incidents.act(deployment, 1, action("close"))
    assert (closed.state, closed.closed_at, closed.closed_from) == ("closed", NOON, "open")
    assert stored.incidents.tracked(deployment)[0].closed_from == "open"
    opened = stored.incidents.act(deployment, 1, action("reopen"))
    assert replace(opened, actions=()) == incident
    assert [one.kind for one in opened.actions] == ["close", "reopen"]
    closed = stored.incidents.act(deployment, 1, action("close"))
    with stored.leases.take(deployment, "a run", NOON, 60), pytest.raises(CannotRun, match="A run is judging"):
        stored.incidents.act(deployment, 1, action("reopen"))
    stored.commit_window(
        deployment, window(1), states={}, label_cursor={}, incidents=[replace(closed, closed_from="", actions=())]
    )
    assert stored.incidents.tracked(deployment) == ()
    with pytest.raises(BadInput, match="cannot be reopened"):
        stored.incidents.act(deployment, 1, action("reopen"))


def test_a_run_that_did_not_know_that_a_person_closed_it_does_not_undo_it(
    stored: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    stored.incidents.act(deployment, 1, acknowledgement(NOON))
    stored.incidents.act(deployment, 1, action("close"))
    judged = replace(incident, recovery="later").entered("recovering", APRIL + timedelta(days=2))
    stored.commit_window(deployment, window(1), states={}, label_cursor={}, incidents=[judged])
    (found,) = stored.incidents.read(deployment)
    assert (found.state, found.closed_at, found.closed_from, found.recovery) == ("closed", NOON, "recovering", "later")
    assert [event.state for event in found.history] == ["open", "acknowledged", "recovering", "closed"]
    assert stored.incidents.act(deployment, 1, action("reopen")).state == "recovering"


@pytest.mark.parametrize(
    ("refused", "match"),
    [
        (action("note"), "The note is empty"),
        (action("note", text="x" * (LONGEST_TEXT + 1)), "too long"),
        (action("assign", text="x" * (LONGEST_NAME + 1)), "too long"),
        (action("reopen"), "is open already"),
    ],
)
def test_what_makes_no_sense_is_refused_and_not_logged(
    stored: Store, deployment: int, refused: IncidentAction, match: str
) -> None:
    with pytest.raises(BadInput, match=match):
        stored.incidents.act(deployment, 1, refused)
    assert stored.incidents.get(deployment, 1).actions == ()


def test_a_closed_incident_takes_notes_and_owners_alone(incident: IncidentRecord) -> None:
    closed = replace(incident, state="closed", closed_at=NOON)
    assert acted(closed, action("note", text="it was the feed")).actions
    assert acted(closed, action("assign", text="team flights")).owner == "team flights"
    for kind in ("acknowledge", "snooze", "close"):
        with pytest.raises(BadInput, match="The incident is closed"):
            acted(closed, action(kind, until_worse=True))


def test_times_come_back_in_utc(stored: Store, deployment: int) -> None:
    stored.incidents.act(deployment, 1, action("snooze", until=NOON + HOUR))
    assert stored.incidents.get(deployment, 1).actions[0].until == NOON + HOUR
    assert stored.incidents.get(deployment, 1).actions[0].at.tzinfo is UTC
