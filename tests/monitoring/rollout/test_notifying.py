"""What happens in a rollout reaches people along the routes of incidents, once each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from monitoring.config import MonitorConfig, RouteSection
from monitoring.config.routes import PagerDutyRoute, WebhookRoute
from monitoring.notifications.notification import Notification
from monitoring.notifications.routes.sending import Delivery
from monitoring.records import RolloutEvent, RolloutMode, RolloutRecord
from monitoring.rollout.notifying import MOST_ATTEMPTS, notification, send_events, tell_of_dead_workers
from monitoring.rollout.rollout_settings import iso, with_setting
from monitoring.rollout.status import DEAD_AFTER
from monitoring.store.store import Store
from tests.monitoring.config.configs import LEAST, load
from tests.monitoring.rollout.records import START, rollout

ROUTES = """
[[notify]]
webhook = "http://127.0.0.1:1/a"
[[notify]]
route = "pagerduty"
routing_key_env = "KEY"
"""


NAMES = {WebhookRoute: "webhook", PagerDutyRoute: "pager"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/rollouts.db") as opened:
        yield opened


@pytest.fixture
def config(tmp_path: Path) -> MonitorConfig:
    return load(tmp_path, LEAST + ROUTES)


class Post:
    """Delivers notifications, unless a receiver is away."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str]] = []
        self.away: set[str] = set()

    def __call__(self, message: Notification, routes: Sequence[RouteSection]) -> list[Delivery]:
        found = []
        for route in routes:
            ok = route.receiver not in self.away
            if ok:
                self.sent.append((NAMES[type(route)], message.incident.level, message.incident_text.message))
            found.append(Delivery(receiver=route.receiver, shown=route.receiver, ok=ok, detail=""))
        return found


def happened(store: Store, record: RolloutRecord, *kinds: str) -> RolloutRecord:
    record = store.rollouts.read(store.rollouts.begin(record))
    store.rollouts.save(record, [RolloutEvent(at=START, kind=kind, by="a", text=f"It {kind}.") for kind in kinds])
    return record


def test_each_event_reaches_each_route_that_wants_it_once(config: MonitorConfig, store: Store) -> None:
    post = Post()
    record = happened(store, rollout(), "started", "share", "decided", "promoted")
    watch = replace(record, mode="watch", name="watch")
    watch = happened(store, watch, "decided", "rolled back")
    for one in (record, watch, record, watch):
        send_events(config, store, one, post, lambda: START)
    assert post.sent == [
        ("webhook", "notice", "It decided."),
        ("webhook", "notice", "It promoted."),
        ("webhook", "page", "It decided."),
        ("pager", "page", "It decided."),
        ("webhook", "page", "It rolled back."),
        ("pager", "page", "It rolled back."),
    ]


def test_a_receiver_that_is_away_is_tried_again_and_nobody_is_told_twice(config: MonitorConfig, store: Store) -> None:
    post = Post()
    record = happened(store, rollout(mode="watch"), "rolled back")
    post.away = {config.notify[1].receiver}
    send_events(config, store, record, post, lambda: START)
    post.away = set()
    for _ in range(2):
        send_events(config, store, record, post, lambda: START)
    assert [name for name, *_ in post.sent] == ["webhook", "pager"]


def test_a_receiver_that_stays_away_is_given_up(config: MonitorConfig, store: Store) -> None:
    post = Post()
    record = happened(store, rollout(), "gave up")
    post.away = {route.receiver for route in config.notify}
    for _ in range(MOST_ATTEMPTS):
        assert store.rollouts.unsent_events(record.number)
        send_events(config, store, record, post, lambda: START)
    assert not store.rollouts.unsent_events(record.number)


def test_a_notification_names_the_rollout_its_versions_and_what_happened(config: MonitorConfig) -> None:
    event = RolloutEvent(at=START, kind="decided", by="a", text="Version 43 may be promoted.", position=4)
    message = notification(config, rollout(number=7), event)
    assert message.event.endswith("/rollout/7/4")
    assert message.incident_text.cause == "rollout 7 of versions 42 and 43: decided"
    assert message.kind == "rollout"


@pytest.mark.parametrize(
    ("mode", "told"), [("watch", [("webhook", "page"), ("pager", "page")]), ("shadow", [("webhook", "notice")])]
)
def test_a_dead_worker_is_told_once_and_again_after_it_has_worked(
    config: MonitorConfig, store: Store, mode: RolloutMode, told: list[tuple[str, str]]
) -> None:
    post = Post()

    def worked(at: datetime) -> None:
        settings = with_setting(store.rollouts.read(number).settings, "worked_at", iso(at))
        store.rollouts.save(replace(store.rollouts.read(number), settings=settings))

    def look(after: timedelta) -> None:
        tell_of_dead_workers(config, store, post, lambda: START + after)

    number = store.rollouts.begin(replace(rollout(), mode=mode, name=config.name))
    worked(START)
    look(DEAD_AFTER)
    assert post.sent == []
    for minutes in (16, 17, 200):
        look(timedelta(minutes=minutes))
    assert [sent[:2] for sent in post.sent] == told
    assert "has made no pass since 2026-03-01 00:00 UTC" in post.sent[0][2]
    worked(START + timedelta(hours=4))
    look(timedelta(hours=4, minutes=5))
    assert len(post.sent) == len(told)
    look(timedelta(hours=5))
    assert [sent[:2] for sent in post.sent] == told * 2
    store.rollouts.save(replace(store.rollouts.read(number), state="stopped", ended_at=START))
    look(timedelta(days=9))
    assert len(post.sent) == 2 * len(told)
