"""What happens in a rollout reaches people along the routes of incidents, once each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from monitoring.config import MonitorConfig, RouteSection
from monitoring.config.routes import PagerDutyRoute, WebhookRoute
from monitoring.notifications.notification import Notification
from monitoring.notifications.routes.sending import Delivery
from monitoring.records import RolloutEvent, RolloutRecord
from monitoring.rollout.run import MOST_ATTEMPTS, notification, send_events
from monitoring.sentences.incident_text import incident_text
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
                self.sent.append((NAMES[type(route)], message.incident.level, incident_text(message.incident).message))
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
    assert incident_text(message.incident).cause == "rollout 7 of versions 42 and 43: decided"
    assert message.kind == "rollout"
