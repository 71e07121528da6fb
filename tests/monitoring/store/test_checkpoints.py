"""A deployment is put back to where it was before a window; what people did and were told stays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from monitoring.records import JUDGED_AGAIN, Backfill, IncidentAction, IncidentRecord, WindowAttempt, WindowRecord
from monitoring.records.state_names import StateName
from monitoring.sentences.incident_text import incident_text
from monitoring.store import DeploymentRecord, Store
from tests.incident_words import worded
from tests.monitoring.store.conftest import APRIL, acknowledgement

NOW = APRIL + timedelta(days=9)
MakeWindow = Callable[..., WindowRecord]


def day(number: int) -> datetime:
    return APRIL + timedelta(days=number)


class Judging:
    """Judges days of a deployment: their windows, the state after each, and the incidents that it changed."""

    def __init__(self, store: Store, number: int, window: MakeWindow) -> None:
        self.store, self.number, self._window = store, number, window

    def judge(self, number: int, incidents: Sequence[IncidentRecord] = ()) -> None:
        window = self._window(number)
        begun = WindowAttempt(start=window.start, end=window.end, attempts=1, started_at=NOW)
        self.store.attempts.begin(self.number, begun, checkpoint=True)
        states: dict[StateName, str] = {"page": f"p{number}", "notice": f"n{number}"}
        cursor = {"labels": number}
        self.store.commit_window(self.number, window, states=states, label_cursor=cursor, incidents=incidents)
        self.store.attempts.end(self.number, window.start, at=NOW)

    def put_back(self, number: int) -> Backfill:
        asked = Backfill(start=day(number), end=day(9), by="ada", at=NOW, until=day(9))
        return self.store.backfills.begin(self.number, asked, again_from=day(number), checked_at=None)

    def events(self) -> list[tuple[int | None, str]]:
        return [(one.incident, one.state) for one in self.store.outbox.read(self.number)]


@pytest.fixture
def judging(store: Store, deployment: int, window: MakeWindow) -> Judging:
    return Judging(store, deployment, window)


@pytest.fixture
def early(incident: IncidentRecord) -> IncidentRecord:
    """An incident that the first day opened."""
    return replace(incident, opened_at=day(1), history=(replace(incident.history[0], at=day(1)),), recovery="r0")


def test_states_are_those_before_the_window_and_later_incidents_that_do_not_open_again_are_closed_with_the_reason(
    judging: Judging, incident: IncidentRecord
) -> None:
    judging.judge(0)
    judging.judge(1)
    opened = replace(incident, opened_at=day(3), history=(replace(incident.history[0], at=day(3)),))
    judging.judge(2, [opened])
    judging.put_back(1)
    assert judging.store.deployments.states(judging.number) == {"page": "p0", "notice": "n0"}
    assert judging.store.backfills.rejudgeable(judging.number) == (day(0),)
    (waiting,) = judging.store.incidents.read(judging.number)
    assert (waiting.state, waiting.closed_from) == ("open", JUDGED_AGAIN)
    assert judging.store.incidents.tracked(judging.number) == ()
    assert judging.events() == [(1, "open")]
    judging.store.backfills.end(judging.number, NOW)
    (closed,) = judging.store.incidents.read(judging.number)
    assert (closed.state, closed.closed_from) == ("closed", "")
    assert [(one.kind, one.by) for one in closed.actions] == [("note", "ada"), ("close", "ada")]
    assert judging.store.incidents.tracked(judging.number) == ()
    assert judging.events() == [(1, "open"), (1, "closed")]


@pytest.mark.parametrize("closed_by", ["nobody", "evidence", "ada"])
def test_an_incident_that_opens_again_goes_on_with_what_people_did_and_nobody_is_told_twice(
    judging: Judging, incident: IncidentRecord, closed_by: str
) -> None:
    judging.judge(0)
    judging.judge(1)
    opened = replace(incident, opened_at=day(3), history=(replace(incident.history[0], at=day(3)),))
    judging.judge(2, [opened])
    judging.store.incidents.act(judging.number, 1, IncidentAction(at=NOW, by="bob", kind="assign", text="bob"))
    closing = replace(opened, closed_at=day(4)).entered("closed", day(4))
    if closed_by == "ada":
        judging.store.incidents.act(judging.number, 1, IncidentAction(at=NOW, by="ada", kind="close"))
    judging.judge(3, [closing] if closed_by == "evidence" else [])
    told = judging.events()
    judging.put_back(1)
    judging.judge(1)
    judging.judge(2, [opened])
    judging.judge(3, [closing] if closed_by == "evidence" else [])
    judging.store.backfills.end(judging.number, NOW)
    (again,) = judging.store.incidents.read(judging.number)
    assert (again.state, again.owner) == ("open" if closed_by == "nobody" else "closed", "bob")
    assert again.closed_from == ("open" if closed_by == "ada" else "")
    assert judging.events() == told


def test_before_the_first_window_there_is_no_state(judging: Judging) -> None:
    judging.judge(0)
    judging.put_back(0)
    assert judging.store.deployments.states(judging.number) == {}
    assert judging.store.windows.read(judging.number) == ()


def test_what_evidence_closed_since_is_open_again_as_it_was_and_people_are_told(
    judging: Judging, early: IncidentRecord
) -> None:
    judging.judge(0, [early])
    judging.judge(1)
    closed = replace(early, recovery="r2", closed_at=day(3)).entered("closed", day(3))
    judging.judge(2, [closed])
    judging.put_back(1)
    (again,) = judging.store.incidents.read(judging.number)
    assert (again.state, again.recovery, again.closed_at) == ("open", "r0", None)
    assert [one.state for one in again.history] == ["open"]
    assert judging.events() == [(1, "open"), (1, "closed")]
    judging.judge(1)
    judging.store.backfills.end(judging.number, NOW)
    (told,) = judging.store.incidents.read(judging.number)
    assert [one.kind for one in told.actions] == ["reopen"]
    assert judging.events() == [(1, "open"), (1, "closed"), (1, "open")]
    judging.judge(2, [replace(again, closed_at=day(2)).entered("closed", day(2))])  # evidence may close it anew
    assert judging.events()[3:] == [(1, "closed")]


def test_what_evidence_closes_again_at_the_same_time_is_not_told_twice(judging: Judging, early: IncidentRecord) -> None:
    judging.judge(0, [early])
    judging.judge(1)
    closed = replace(early, recovery="r2", closed_at=day(3)).entered("closed", day(3))
    judging.judge(2, [closed])
    judging.put_back(1)
    judging.judge(1)
    judging.judge(2, [closed])
    judging.store.backfills.end(judging.number, NOW)
    assert judging.store.incidents.read(judging.number) == (closed,)
    assert judging.events() == [(1, "open"), (1, "closed")]


def test_what_a_person_closed_since_stays_closed_and_the_next_window_takes_account_of_it(
    judging: Judging, early: IncidentRecord
) -> None:
    judging.judge(0, [early])
    judging.judge(1)
    judging.store.incidents.act(judging.number, 1, IncidentAction(at=NOW, by="bob", kind="close"))
    (closing,) = judging.store.incidents.tracked(judging.number)
    judging.judge(2, [replace(closing, closed_from="")])
    judging.put_back(1)
    (closed,) = judging.store.incidents.tracked(judging.number)
    assert (closed.state, closed.closed_from) == ("closed", "open")


def test_an_acknowledgement_stays_and_evidence_is_that_of_then(judging: Judging, early: IncidentRecord) -> None:
    judging.judge(0, [early])
    judging.store.incidents.act(judging.number, 1, acknowledgement(NOW))
    (known,) = judging.store.incidents.tracked(judging.number)
    judging.judge(1, [replace(known, recovery="r1", diagnoses=worded("", "later")).entered("recovering", day(2))])
    judging.put_back(1)
    (again,) = judging.store.incidents.read(judging.number)
    assert (again.state, again.recovery, incident_text(again).message) == (
        "acknowledged",
        "r0",
        incident_text(early).message,
    )
    assert again.acknowledged_at == NOW


def test_checkpoints_before_a_time_are_forgotten_and_all_with_a_new_method(
    judging: Judging, deployment_record: DeploymentRecord
) -> None:
    for number in range(3):
        judging.judge(number)
    judging.store.backfills.forget_checkpoints(judging.number, day(1))
    assert judging.store.backfills.rejudgeable(judging.number) == (day(1), day(2))
