"""Every receiver is notified of every event at least once, and tried again until it is reached or given up."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitoring.config import RouteSection, load_config
from monitoring.config.routes import AlertmanagerRoute, WebhookRoute
from monitoring.notifications.digest import Digest, Message
from monitoring.notifications.notification import Notification
from monitoring.notifications.outbox import (
    FIRST_WAIT,
    LONGEST_WAIT,
    MAX_ATTEMPTS,
    MAX_PAST_EVENTS,
    PAST,
    NotificationOutbox,
    send_outbox,
    wait_after,
)
from monitoring.notifications.routes.sending import Delivery
from monitoring.records import IncidentAction, IncidentRecord, IncidentState, WindowRecord
from monitoring.runs.run import ExternalServices, run_due_windows
from monitoring.store import DeploymentRecord
from monitoring.store.notifications import Undelivered
from monitoring.store.store import Store
from tests.incident_words import worded

APRIL = datetime(2013, 4, 1, tzinfo=UTC)
NOW = APRIL + timedelta(days=2)
Send = Callable[..., None]
PAGES = WebhookRoute(webhook="https://hooks.example.org/pages")
ALL = WebhookRoute(
    webhook="https://hooks.example.org/all", level="notice", states=("open", "worse", "recovering", "closed")
)
ROUTES = '[[notify]]\nwebhook = "https://hooks.example.org/pages"\n'


class Receivers:
    """Receivers that answer as they are told to: by default they take everything."""

    def __init__(self, *down: RouteSection, gone: Sequence[RouteSection] = ()) -> None:
        self.down = {route.receiver for route in down}
        self.gone = {route.receiver for route in gone}
        self.sent: list[tuple[str, str]] = []
        self.messages: list[Message] = []

    def __call__(self, message: Message, routes: Sequence[RouteSection]) -> list[Delivery]:
        self.messages.append(message)
        found = []
        for route in routes:
            self.sent.append((_name(route), message.event))
            ok = route.receiver not in self.down | self.gone
            gone = route.receiver in self.gone
            found.append(Delivery(shown=route.redacted_address, receiver=route.receiver, ok=ok, gone=gone, detail=""))
        return found


def _name(route: RouteSection) -> str:
    return str(route.webhook).rpartition("/")[2] if isinstance(route, WebhookRoute) else route.route


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/pitfalls.db") as opened:
        opened.find_or_create(
            DeploymentRecord(
                model="flights",
                version=1,
                settings_digest="ab" * 32,
                created_at=APRIL,
                timezone="UTC",
                page_budget="1 per 365 windows",
                page_threshold=365.0,
                notice_budget="1 per 30 windows",
                notice_threshold=30.0,
                name="flights",
            )
        )
        yield opened


def incident(number: int = 1, day: int = 1, *states: IncidentState) -> IncidentRecord:
    at = APRIL + timedelta(days=day)
    record = IncidentRecord(
        number=number,
        level="page",
        state="recovering",
        opened_at=at,
        window_start=at - timedelta(days=1),
        window_end=at,
        watch="error",
        slice="",
        diagnoses=worded("the model is wrong", "Error rose."),
    ).entered("open", at)
    for later, state in enumerate(states, start=1):
        record = record.entered(state, at + timedelta(days=later))
    return record


def commit(store: Store, day: int, *incidents: IncidentRecord) -> None:
    start = APRIL + timedelta(days=day)
    window = WindowRecord(
        start=start,
        end=start + timedelta(days=1),
        rows=9,
        labels=9,
        labels_due=9,
        labels_unknown=0,
        repeats=0,
        status="ok",
        page_log_evidence=0.0,
        notice_log_evidence=0.0,
    )
    store.commit_window(1, window, states={}, label_cursor={}, incidents=incidents)


def outbox(store: Store, receivers: Receivers, *routes: RouteSection, now: datetime = NOW) -> NotificationOutbox:
    return NotificationOutbox(store, 1, routes or (PAGES, ALL), receivers, clock=lambda: now, renew=lambda _: None)


def test_each_route_gets_the_states_it_asks_for_in_order(store: Store) -> None:
    commit(store, 0, incident(1, 1, "worse", "recovering", "closed"))
    receivers = Receivers()
    outbox(store, receivers).send_pending()
    assert receivers.sent == [
        ("pages", "flights/1/1/0"),
        ("all", "flights/1/1/0"),
        ("pages", "flights/1/1/1"),
        ("all", "flights/1/1/1"),
        ("all", "flights/1/1/recovering-1"),
        ("all", "flights/1/1/closed-1"),
    ]
    assert store.outbox.pending(1) == ()


def test_only_a_receiver_that_was_not_reached_is_tried_again_and_gets_events_in_order(store: Store) -> None:
    commit(store, 0, incident(1, 1, "worse"), incident(2, 1))
    receivers = Receivers(PAGES)
    outbox(store, receivers).send_pending()
    assert [event for name, event in receivers.sent if name == "pages"] == ["flights/1/1/0", "flights/1/2/0"]
    assert len([name for name, _ in receivers.sent if name == "all"]) == 3
    again = Receivers()
    outbox(store, again).send_pending()
    assert again.sent == [], "a minute has to pass"
    assert store.outbox.undelivered_of(1).waiting == 3
    outbox(store, again, now=NOW + FIRST_WAIT).send_pending()
    assert again.sent == [("pages", f"flights/1/{event}") for event in ("1/0", "1/1", "2/0")]
    assert store.outbox.pending(1) == ()


def test_one_outbox_tries_an_event_once(store: Store) -> None:
    commit(store, 0, incident())
    receivers = Receivers(PAGES)
    one = outbox(store, receivers, PAGES)
    one.send_pending()
    one.send_pending(last=True)
    assert len(receivers.sent) == 1


def test_a_receiver_is_not_tried_for_ever(store: Store) -> None:
    commit(store, 0, incident())
    receivers = Receivers(PAGES)
    for attempt in range(MAX_ATTEMPTS + 3):
        outbox(store, receivers, now=NOW + attempt * LONGEST_WAIT).send_pending()
    assert receivers.sent == [("pages", "flights/1/1/0"), ("all", "flights/1/1/0")] + [("pages", "flights/1/1/0")] * (
        MAX_ATTEMPTS - 1
    )
    assert store.outbox.pending(1) == ()
    assert store.outbox.given_up(1) == ("flights/1/1/0",)
    assert store.outbox.undelivered_of(1) == Undelivered(given_up=1, since=APRIL + timedelta(days=1))
    assert store.outbox.retry(1) == ("flights/1/1/0",)
    again = Receivers()
    outbox(store, again).send_pending()
    assert again.sent == [("pages", "flights/1/1/0")], "who was reached gets nothing twice"
    assert store.outbox.undelivered_of(1) == Undelivered()


def test_an_event_is_tried_for_more_than_a_week() -> None:
    assert sum((wait_after(attempt) for attempt in range(1, MAX_ATTEMPTS)), timedelta()) > timedelta(days=7)


def test_an_acknowledgement_reaches_the_receiver_although_the_incident_is_snoozed(store: Store) -> None:
    commit(store, 0, incident())
    receivers = Receivers()
    calls = WebhookRoute(webhook="https://hooks.example.org/calls", states=("open", "acknowledged", "closed"))
    outbox(store, receivers, calls).send_pending()
    store.incidents.act(1, 1, IncidentAction(at=NOW, by="ann", kind="acknowledge"))
    store.incidents.act(1, 1, IncidentAction(at=NOW, by="ann", kind="snooze", until=NOW + timedelta(days=9)))
    outbox(store, receivers, calls).send_pending()
    assert receivers.sent[-1] == ("calls", "flights/1/1/acknowledged-1")


def test_a_receiver_that_is_gone_is_given_up_at_once_and_the_others_are_not(store: Store) -> None:
    commit(store, 0, incident())
    outbox(store, Receivers(ALL, gone=[PAGES])).send_pending()
    (pending,) = store.outbox.pending(1)
    assert (pending.abandoned, pending.reached) == (frozenset({PAGES.receiver}), frozenset())
    outbox(store, Receivers(), now=NOW + FIRST_WAIT).send_pending()
    assert store.outbox.pending(1) == ()
    assert store.outbox.given_up(1) == ("flights/1/1/0",)


def test_without_receivers_nobody_is_owed_anything(store: Store) -> None:
    commit(store, 0, *(incident(number) for number in range(1, 9)))
    nobody = NotificationOutbox(store, 1, (PAGES,), None, clock=lambda: APRIL + 99 * PAST, renew=lambda _: None)
    nobody.send_pending()
    assert store.outbox.pending(1) == ()
    assert store.outbox.given_up(1) == ()


def test_many_events_of_the_past_are_one_digest_at_the_end_of_a_run(store: Store) -> None:
    now = APRIL + timedelta(days=100)
    for day in range(MAX_PAST_EVENTS + 1):
        commit(store, day, incident(day + 1, day + 1, "closed" if day else "worse"))
    fresh = incident(50, 99)
    commit(store, 98, fresh)
    receivers = Receivers()
    run = outbox(store, receivers, PAGES, ALL, now=now)
    run.send_pending()
    assert receivers.sent == [("pages", "flights/1/50/0"), ("all", "flights/1/50/0")]
    run.send_pending(last=True)
    (digest,) = [message for message in receivers.messages if isinstance(message, Digest)]
    assert [one.number for one in digest.incidents] == list(range(1, MAX_PAST_EVENTS + 2))
    assert digest.events == 2 * (MAX_PAST_EVENTS + 1)
    assert receivers.sent[2:] == [("pages", digest.event), ("all", digest.event)]
    assert store.outbox.pending(1) == ()


def test_a_digest_that_was_not_delivered_is_the_same_one_in_the_next_run(store: Store) -> None:
    now = APRIL + timedelta(days=100)
    for day in range(MAX_PAST_EVENTS + 1):
        commit(store, day, incident(day + 1, day + 1))
    down, up = Receivers(PAGES), Receivers()
    outbox(store, down, PAGES, now=now).send_pending(last=True)
    commit(store, 98, incident(50, 99), incident(1, 1, "worse"))
    outbox(store, up, PAGES, now=now + FIRST_WAIT).send_pending(last=True)
    assert [event for _, event in up.sent] == [down.sent[0][1], "flights/1/50/0", "flights/1/1/1"]


def test_a_few_events_of_the_past_are_sent_one_by_one_when_the_run_ends(store: Store) -> None:
    for day in range(MAX_PAST_EVENTS):
        commit(store, day, incident(day + 1, day + 1))
    receivers = Receivers()
    run = outbox(store, receivers, PAGES, now=APRIL + timedelta(days=100))
    run.send_pending()
    assert receivers.sent == []
    run.send_pending(last=True)
    assert len(receivers.sent) == MAX_PAST_EVENTS


def test_an_event_that_nobody_wants_does_not_make_a_digest(store: Store) -> None:
    for day in range(MAX_PAST_EVENTS):
        commit(store, day, incident(day + 1, day + 1, "closed"))
    receivers = Receivers()
    outbox(store, receivers, PAGES, now=APRIL + timedelta(days=100)).send_pending(last=True)
    assert [event for _, event in receivers.sent] == [f"flights/1/{n}/0" for n in range(1, MAX_PAST_EVENTS + 1)]


def test_what_was_tried_when_it_was_new_is_no_past(store: Store) -> None:
    commit(store, 0, *(incident(number) for number in range(1, MAX_PAST_EVENTS + 3)))
    outbox(store, Receivers(PAGES), PAGES).send_pending(last=True)
    later = Receivers()
    outbox(store, later, PAGES, now=APRIL + timedelta(days=100)).send_pending(last=True)
    assert [event for _, event in later.sent] == [f"flights/1/{n}/0" for n in range(1, MAX_PAST_EVENTS + 3)]


def test_nobody_is_notified_while_an_incident_is_snoozed(store: Store) -> None:
    commit(store, 0, incident(), incident(2))
    at = APRIL + timedelta(days=2)
    store.incidents.act(1, 1, IncidentAction(at=at, by="operator", kind="snooze", until=at + timedelta(hours=1)))
    receivers = Receivers()
    outbox(store, receivers, PAGES, now=at).send_pending(last=True)
    assert receivers.sent == [("pages", "flights/1/2/0")]
    outbox(store, receivers, PAGES, now=at + timedelta(hours=1)).send_pending()
    assert receivers.sent[1:] == [("pages", "flights/1/1/0")]


def test_an_incident_that_is_reopened_is_snoozed_no_longer_and_its_receivers_are_told(store: Store) -> None:
    commit(store, 0, incident())
    receivers = Receivers()
    outbox(store, receivers, PAGES).send_pending()
    at = APRIL + timedelta(days=2)
    snooze = IncidentAction(at=at, by="ann", kind="snooze", until=at + timedelta(days=9))
    store.incidents.act(1, 1, snooze)
    store.incidents.act(1, 1, IncidentAction(at=at, by="ann", kind="close"))
    done = store.incidents.act(1, 1, IncidentAction(at=at, by="ann", kind="reopen"))
    assert (done.state, done.snoozed_until, done.snoozed_until_worse) == ("open", None, False)
    outbox(store, receivers, PAGES, now=at).send_pending(last=True)
    assert receivers.sent[0] == ("pages", "flights/1/1/0")
    assert ("pages", "flights/1/1/open-2") in receivers.sent[1:]


def test_what_is_open_is_sent_again_at_the_end_of_a_run_where_it_is_forgotten(store: Store) -> None:
    alerts = AlertmanagerRoute(route="alertmanager", url="http://alertmanager:9093")
    commit(store, 0, incident(1), incident(2, 1, "closed"), incident(3))
    store.incidents.act(1, 3, IncidentAction(at=APRIL, by="operator", kind="snooze", until_worse=True))
    receivers = Receivers()
    run = outbox(store, receivers, PAGES, alerts)
    run.send_pending()
    receivers.sent.clear()
    run.send_pending(last=True)
    assert receivers.sent == [("alertmanager", "flights/1/1/again")]
    nobody = NotificationOutbox(store, 1, (alerts,), None, clock=lambda: APRIL, renew=lambda _: None)
    nobody.send_pending(last=True)


def test_the_outbox_is_sent_without_a_run_unless_one_has_the_lease(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "monitor.toml"
    path.write_text(f'[model]\nbundle = "m"\n[traffic]\npath = "t"\n{ROUTES}')
    config, now = load_config(path), APRIL + timedelta(days=2)
    commit(store, 0, incident())
    receivers = Receivers()
    with store.leases.take(1, "a run", now, 60):
        assert not send_outbox(config, store, 1, receivers, lambda: now)
        assert receivers.sent == []
    assert send_outbox(config, store, 1, receivers, lambda: now)
    assert receivers.sent == [("pages", "flights/1/1/0")]


def _send_and_die(url: str, file: str, after: int) -> None:
    """Send what is pending, note each message in a file, and die after so many."""

    def notify(message: Message, routes: Sequence[RouteSection]) -> Sequence[Delivery]:
        with Path(file).open("a", encoding="utf-8") as noted:
            noted.write(f"{message.event}\n")
        if len(Path(file).read_text("utf-8").splitlines()) == after:
            os.kill(os.getpid(), signal.SIGKILL)
        return [Delivery(shown="", receiver=route.receiver, ok=True, detail="") for route in routes]

    now = APRIL + timedelta(days=2)
    with Store.open(url) as opened:
        NotificationOutbox(opened, 1, (PAGES,), notify, clock=lambda: now, renew=lambda _: None).send_pending(last=True)


@pytest.mark.slow
def test_an_outbox_that_is_killed_again_and_again_sends_each_event_at_least_once_and_in_order(
    store: Store, tmp_path: Path
) -> None:
    commit(store, 0, *(incident(number, 1, "worse") for number in range(1, 4)))
    events = [one.event for one in store.outbox.pending(1)]
    noted = tmp_path / "noted"
    for after, code in ((2, -signal.SIGKILL), (5, -signal.SIGKILL), (99, 0)):
        arguments = (f"sqlite:///{tmp_path}/pitfalls.db", str(noted), after)
        process = multiprocessing.get_context("spawn").Process(target=_send_and_die, args=arguments)
        process.start()
        process.join(60)
        assert process.exitcode == code
    sent = noted.read_text("utf-8").splitlines()
    assert list(dict.fromkeys(sent)) == events
    assert len(sent) == len(events) + 2  # the one at which it was killed, each time
    assert store.outbox.pending(1) == ()


def deployed_with_route(deployed: Path) -> Any:
    path = deployed / "monitor.toml"
    path.write_text(path.read_text() + ROUTES)
    return load_config(path)


def test_a_run_notifies_of_each_page_and_of_it_becoming_worse(deployed: Path, send: Send, days: Any) -> None:
    send(deployed, days(days=30, broken_from=10, broken_part=0.5))
    config = deployed_with_route(deployed)
    receivers = Receivers()
    clock = iter(range(10**6))
    with Store.open(config.store.url) as store:
        done = run_due_windows(
            config,
            store,
            clock=lambda: datetime(2014, 1, 1, tzinfo=UTC) + timedelta(seconds=next(clock)),
            services=ExternalServices(notify=receivers),
        )
        assert store.outbox.pending(done.deployment) == ()
    pages = {one.number for one in done.opened if one.level == "page"}
    notifications = [message for message in receivers.messages if isinstance(message, Notification)]
    assert {one.incident.number for one in notifications} == pages
    assert {one.state for one in notifications} == {"open", "worse"}
    assert len({one.event for one in notifications}) == len(receivers.messages) == len(notifications)


def _die_while_notifying(folder: str) -> None:
    def notify(_message: Message, _routes: Sequence[RouteSection]) -> Sequence[Delivery]:
        os.kill(os.getpid(), signal.SIGKILL)
        return ()

    config = load_config(Path(folder) / "monitor.toml")
    now = APRIL + timedelta(days=6)
    with Store.open(config.store.url) as store:
        run_due_windows(config, store, clock=lambda: now, services=ExternalServices(notify=notify))


def test_an_incident_that_a_killed_run_notified_nobody_of_is_notified_by_the_next(
    deployed: Path, send: Send, days: Any
) -> None:
    send(deployed, days(days=4, without="temp"))
    config = deployed_with_route(deployed)
    process = multiprocessing.get_context("spawn").Process(target=_die_while_notifying, args=(str(deployed),))
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL
    receivers = Receivers()
    later = APRIL + timedelta(days=6, hours=1)  # when the dead run's lease is over
    services = ExternalServices(notify=receivers)
    with Store.open(config.store.url) as store:
        run_due_windows(config, store, clock=lambda: later, services=services)
        sent = [event for _, event in receivers.sent]
        assert sent[0] == "flights/1/1/0"
        assert len(sent) == len(set(sent)) > 0
        run_due_windows(config, store, clock=lambda: later, services=services)
    of_first = [event for _, event in receivers.sent if event.startswith("flights/1/1/")]
    assert of_first == sent, "the next window has no rows, and is told as well"
