"""Every receiver is notified of every incident at least once, and tried again until it is reached or given up."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from monitoring.config import load_config
from monitoring.incidents.notification import NotificationSource
from monitoring.jobs.notify import MAX_ATTEMPTS, NotificationOutbox, Notify
from monitoring.jobs.run import ExternalServices, Progress, run_due_windows
from monitoring.records import IncidentAction, IncidentRecord
from monitoring.store.store import Store

NOW = datetime(2013, 5, 15, tzinfo=UTC)
Send = Callable[..., None]


def recording(sent: list[IncidentRecord]) -> Notify:
    def notify(incident: IncidentRecord, _source: NotificationSource, _before: AbstractSet[str]) -> dict[str, bool]:
        sent.append(incident)
        return {"one": True}

    return notify


def test_every_incident_is_notified_once_and_again_when_it_becomes_worse(deployed: Path, send: Send, days: Any) -> None:
    send(deployed, days(days=30, broken_from=10, broken_part=0.5))
    config = load_config(deployed / "monitor.toml")
    seen: list[Progress] = []
    sent: list[IncidentRecord] = []
    with Store.open(config.store.url) as store:
        done = run_due_windows(
            config, store, clock=lambda: NOW, progress=seen.append, services=ExternalServices(notify=recording(sent))
        )
    assert [p.done for p in seen] == list(range(1, 31))
    assert tuple(sent) == done.opened
    assert [i.state for i in sent].count("worse") > 0
    assert len({(i.number, len(i.history)) for i in sent}) == len(sent)


def _die_while_notifying(folder: str) -> None:
    def notify(_incident: IncidentRecord, _source: NotificationSource, _before: AbstractSet[str]) -> dict[str, bool]:
        os.kill(os.getpid(), signal.SIGKILL)
        return {}

    config = load_config(Path(folder) / "monitor.toml")
    with Store.open(config.store.url) as store:
        run_due_windows(config, store, clock=lambda: NOW, services=ExternalServices(notify=notify))


def test_an_incident_that_a_killed_run_notified_nobody_of_is_notified_by_the_next(
    deployed: Path, send: Send, days: Any
) -> None:
    send(deployed, days(days=4, without="temp"))
    process = multiprocessing.get_context("spawn").Process(target=_die_while_notifying, args=(str(deployed),))
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL
    config = load_config(deployed / "monitor.toml")
    sent: list[IncidentRecord] = []
    later = NOW + timedelta(hours=1)  # when the dead run's lease is over
    with Store.open(config.store.url) as store:
        opened = run_due_windows(
            config, store, clock=lambda: later, services=ExternalServices(notify=recording(sent))
        ).opened
        assert [i.watch for i in sent] == ["schema", *(i.watch for i in opened)]
        run_due_windows(config, store, clock=lambda: later, services=ExternalServices(notify=recording(sent)))
    assert len(sent) == 1 + len(opened)


def test_only_a_receiver_that_was_not_reached_is_tried_again_and_not_for_ever(
    deployed: Path, send: Send, days: Any
) -> None:
    send(deployed, days(days=1, without="temp"))
    asked: list[frozenset[str]] = []

    def notify(_incident: IncidentRecord, _source: NotificationSource, before: AbstractSet[str]) -> dict[str, bool]:
        asked.append(frozenset(before))
        return {"reached": True, "dead": False} if not before else {"dead": False}

    config = load_config(deployed / "monitor.toml")
    with Store.open(config.store.url) as store:
        first = run_due_windows(config, store, clock=lambda: NOW, services=ExternalServices(notify=notify))
        for _ in range(MAX_ATTEMPTS + 3):
            NotificationOutbox(store, first.deployment, notify, clock=lambda: NOW, renew=lambda _: None).send_pending()
        assert store.pending_notifications(first.deployment) == ()
        assert store.given_up_notifications(first.deployment) == (1,)
    assert asked == [frozenset()] + [frozenset({"reached"})] * (MAX_ATTEMPTS - 1)


def test_without_receivers_nobody_is_owed_anything(deployed: Path, send: Send, days: Any) -> None:
    send(deployed, days(days=1, without="temp"))
    config = load_config(deployed / "monitor.toml")
    with Store.open(config.store.url) as store:
        done = run_due_windows(config, store, clock=lambda: NOW)
        assert len(done.opened) > 0
        assert store.pending_notifications(done.deployment) == ()


def test_nobody_is_notified_while_an_incident_is_snoozed(deployed: Path, send: Send, days: Any) -> None:
    send(deployed, days(days=1, without="temp"))
    config = load_config(deployed / "monitor.toml")
    sent: list[IncidentRecord] = []
    with Store.open(config.store.url) as store:
        unreached = ExternalServices(notify=lambda *_: {"one": False})
        number = run_due_windows(config, store, clock=lambda: NOW, services=unreached).deployment
        end = NOW + timedelta(hours=1)
        store.act(number, 1, IncidentAction(at=NOW, by="operator", kind="snooze", until=end))
        now = NOW
        outbox = NotificationOutbox(store, number, recording(sent), clock=lambda: now, renew=lambda _: None)
        outbox.send_pending()
        assert sent == []
        now = end
        outbox.send_pending()
    assert 1 in [one.number for one in sent]
