"""Runs a rollout to its end, pass by pass: works, acts on what was decided, tells people, waits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from monitoring.config import MonitorConfig, RouteSection
from monitoring.documents.deployment import DeploymentDocument
from monitoring.errors import PitfallsError
from monitoring.notifications.notification import Notification
from monitoring.notifications.routes.sending import Delivery, wants
from monitoring.records import IncidentRecord, Level, RolloutEvent, RolloutRecord
from monitoring.rollout.actions import Author, promote, take_back
from monitoring.rollout.life import ITSELF, Pass
from monitoring.rollout.shadow.worker import MakeScorer, ShadowWorker
from monitoring.rollout.split.worker import SplitWorker
from monitoring.rollout.status import dead_text, last_pass
from monitoring.sentences.incident_text import plain_text
from monitoring.store.store import Store

#: Sends a notification along routes, and says what became of it on each.
Send: TypeAlias = Callable[[Notification, Sequence[RouteSection]], Sequence[Delivery]]

#: What people are notified of, and what is a page: something that should not be in use was, or is.
TOLD = ("decided", "promoted", "stopped", "rolled back", "gave up", "finished", "worker dead", "failed")
PAGES = ("rolled back",)

#: Of a rollout that watches a promotion, what is a page besides: nobody would go back from a version that does harm.
PAGES_OF_WATCH = ("decided", "worker dead", "failed")

#: Attempts before an event is given up: a day of passes every quarter of an hour.
MOST_ATTEMPTS = 96


def send_events(
    config: MonitorConfig, store: Store, record: RolloutRecord, send: Send, clock: Callable[[], datetime]
) -> None:
    """Send the events of a rollout that some receiver was not notified of, at least once each."""
    for event, reached, attempts in store.rollouts.unsent_events(record.number):
        message = notification(config, record, event)
        routes = [route for route in config.notify if event.kind in TOLD and wants(route, message)]
        left = [route for route in routes if route.receiver not in reached]
        deliveries = send(message, left) if left else ()
        reached |= {delivery.receiver for delivery in deliveries if delivery.ok or delivery.gone}
        done = all(route.receiver in reached for route in routes) or attempts + 1 >= MOST_ATTEMPTS
        store.rollouts.save_attempt(record.number, event.position, reached, clock() if done else None)


def tell_of_dead_workers(config: MonitorConfig, store: Store, send: Send, clock: Callable[[], datetime]) -> None:
    """Notify people, once, of a worker of the config's rollouts that has made no pass for a quarter of an hour.

    A worker that is dead cannot say so: each run of the monitor looks. Cost: a query, where no rollout goes on.
    """
    for record in store.rollouts.latest(config.name, most=2):
        text, at = dead_text(record, clock()), last_pass(record)
        if not text or at is None:
            continue
        events = store.rollouts.events(record.number)
        if not any(event.kind == "worker dead" and event.at > at for event in events):
            store.rollouts.save(record, [RolloutEvent(at=clock(), kind="worker dead", by=ITSELF, text=text)])
        send_events(config, store, record, send, clock)


def notification(config: MonitorConfig, record: RolloutRecord, event: RolloutEvent) -> Notification:
    """An event of a rollout as people are notified of it."""
    harm = event.kind in PAGES or (record.mode == "watch" and event.kind in PAGES_OF_WATCH)
    level: Level = "page" if harm else "notice"
    versions = f"versions {record.champion} and {record.candidate}"
    incident = IncidentRecord(
        number=record.number,
        level=level,
        state="open",
        opened_at=event.at,
        window_start=record.started_at,
        window_end=max(event.at, record.started_at),
        watch="rollout",
        slice="",
    )
    deployment = DeploymentDocument(
        number=0,
        name=config.name,
        model=record.model,
        version=record.candidate,
        timezone=config.windows.timezone,
        created_at=record.started_at,
    )
    said = plain_text(f"rollout {record.number} of {versions}: {event.kind}", event.text)
    identity = f"{config.name}/rollout/{record.number}/{event.position}"
    return Notification(
        event=identity, state="open", incident=incident, deployment=deployment, kind="rollout", said=said
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a running rollout needs of the world."""

    make_scorer: MakeScorer
    author: Author
    send: Send
    wait: Callable[[], bool]
    say: Callable[[str], None]


def run_rollout(config: MonitorConfig, store: Store, record: RolloutRecord, around: Surroundings) -> RolloutRecord:
    """Work on a rollout until it ends, or `wait` says to stop; and on the one that watches its promotion after it."""
    worker = _worker(config, store, record, around)
    try:
        while True:
            record = _act(config, store, worker.work(), around)
            send_events(config, store, record, around.send, around.author.clock)
            following = _watching(store, record)
            if following is not None:
                worker.close()
                record = following
                worker = _worker(config, store, record, around)
            elif not record.goes_on:
                return record
            if not around.wait():
                return record
            current = store.rollouts.read(record.number)  # somebody may have acted on it meanwhile
            if current.state != record.state:
                worker.record = record = current
                following = _watching(store, record)
                if following is not None:
                    worker.close()
                    worker, record = _worker(config, store, following, around), following
                elif not record.goes_on:
                    send_events(config, store, record, around.send, around.author.clock)
                    return record
    finally:
        worker.close()


def _worker(
    config: MonitorConfig, store: Store, record: RolloutRecord, around: Surroundings
) -> ShadowWorker | SplitWorker:
    if record.mode == "split":
        return SplitWorker(config=config, store=store, record=record, clock=around.author.clock)
    return ShadowWorker(
        config=config, store=store, record=record, make_scorer=around.make_scorer, clock=around.author.clock
    )


def _act(config: MonitorConfig, store: Store, done: Pass, around: Surroundings) -> RolloutRecord:
    """Do what a pass leads to. What cannot be done is told, and tried again after the next pass."""
    for event in done.events:
        around.say(event.text)
    if not done.do:
        return done.record
    author = replace(around.author, by=ITSELF)
    try:
        if done.do == "promote":
            promote(config, store, done.record, author)
        else:
            take_back(config, store, done.record, author)
    except PitfallsError as error:
        event = RolloutEvent(at=author.clock(), kind="failed", by=ITSELF, text=f"Could not {done.do}. {error}")
        around.say(event.text)
        last = store.rollouts.events(done.record.number)[-1:]
        store.rollouts.save(done.record, [] if last and last[0].text == event.text else [event])
        return done.record
    record = store.rollouts.read(done.record.number)
    around.say(store.rollouts.events(record.number)[-1].text)
    return record


def _watching(store: Store, record: RolloutRecord) -> RolloutRecord | None:
    """The rollout that watches the promotion of another one, while it goes on."""
    if record.state != "promoted":
        return None
    successors = (
        rollout
        for rollout in store.rollouts.latest(record.name)
        if rollout.follows == record.number and rollout.goes_on
    )
    return next(successors, None)
