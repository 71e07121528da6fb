"""Notifies people of what happens to rollouts: each event at least once along its routes, and a dead worker once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeAlias

from monitoring.config import MonitorConfig, RouteSection
from monitoring.documents.deployment import DeploymentDocument
from monitoring.notifications.notification import Notification
from monitoring.notifications.routes.sending import Delivery, wants
from monitoring.records import IncidentRecord, Level, RolloutEvent, RolloutRecord
from monitoring.rollout.life import ITSELF
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
