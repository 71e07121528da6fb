"""Pages of several deployments within the same hours: one message to each receiver, and none is lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from monitoring.config import RouteSection
from monitoring.config.routes import WebhookRoute
from monitoring.notifications.notification import Notification
from monitoring.notifications.outbox import NotificationOutbox
from monitoring.notifications.routes.receivers import webhook_request
from monitoring.notifications.together import TOGETHER, send_together
from monitoring.records import Level, WindowRecord
from monitoring.store import DeploymentRecord
from monitoring.store.store import Store
from tests.monitoring.notifications.test_outbox import ALL, APRIL, NOW, PAGES, Receivers, incident

MODELS = ("flights", "rail", "ships")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/pitfalls.db") as opened:
        for model in MODELS:
            opened.find_or_create(
                DeploymentRecord(
                    model=model,
                    version=1,
                    settings_digest="ab" * 32,
                    created_at=APRIL,
                    timezone="UTC",
                    page_budget="1 per 365 windows",
                    page_threshold=365.0,
                    notice_budget="1 per 30 windows",
                    notice_threshold=30.0,
                    name=model,
                )
            )
        yield opened


def page(store: Store, number: int, *, after: timedelta = timedelta(), level: Level = "page") -> None:
    """A deployment opens an incident with its first window, which ends a day and so long after the first of April."""
    at = APRIL + timedelta(days=1) + after
    opened = replace(
        incident(), level=level, opened_at=at, window_end=at, window_start=at - timedelta(days=1), history=()
    ).entered("open", at)
    window = WindowRecord(
        start=at - timedelta(days=1),
        end=at,
        rows=9,
        labels=9,
        labels_due=9,
        labels_unknown=0,
        repeats=0,
        status="ok",
        page_log_evidence=0.0,
        notice_log_evidence=0.0,
    )
    store.commit_window(number, window, states={}, label_cursor={}, incidents=[opened])


def together(store: Store, receivers: Receivers, *routes: RouteSection, now: datetime = NOW) -> int:
    return send_together(store, dict.fromkeys((1, 2, 3), routes or (PAGES,)), receivers, lambda: now)


def test_pages_of_the_same_hours_are_one_message_that_lists_the_deployments(store: Store) -> None:
    for number, hours in ((1, 0), (2, 2), (3, 5)):
        page(store, number, after=timedelta(hours=hours))
    receivers = Receivers()
    assert together(store, receivers) == 1
    (message,) = receivers.messages
    assert isinstance(message, Notification)
    assert message.headline.startswith("flights and 2 other deployments: page: ")
    assert message.headline.endswith("the model is wrong")
    rail, ships = message.text.splitlines()[-2:]
    assert rail.startswith("  rail (2), incident 1: ")
    assert ships.startswith("  ships (3), incident 1: ")
    body = webhook_request(message, url="https://hooks.example.org/pages", secret=None, at=NOW).body
    assert b'"together"' in body
    assert b'"rail"' in body
    assert [store.outbox.pending(number) for number in (1, 2, 3)] == [(), (), ()]


def test_a_page_of_other_hours_and_notices_are_left_to_their_own_outbox(store: Store) -> None:
    page(store, 1)
    page(store, 2, after=TOGETHER + timedelta(hours=1))
    page(store, 3, level="notice")
    receivers = Receivers()
    assert together(store, receivers, ALL) == 0
    for number in (1, 2, 3):
        assert len(store.outbox.pending(number)) == 1
    assert receivers.messages == []


def test_a_receiver_that_was_not_reached_gets_each_page_later_and_the_others_none_again(store: Store) -> None:
    page(store, 1)
    page(store, 2)
    assert together(store, Receivers(PAGES), PAGES, ALL) == 1
    receivers, later = Receivers(), NOW + timedelta(hours=1)
    for number in (1, 2):
        outbox = NotificationOutbox(store, number, (PAGES, ALL), receivers, clock=lambda: later, renew=lambda _: None)
        outbox.send_pending()
    assert receivers.sent == [("pages", "flights/1/1/0"), ("pages", "rail/2/1/0")]


def test_each_receiver_is_told_of_the_deployments_whose_config_names_it(store: Store) -> None:
    page(store, 1)
    page(store, 2)
    page(store, 3)
    own = WebhookRoute(webhook="https://hooks.example.org/own")
    routes = {1: (PAGES,), 2: (PAGES, own), 3: (PAGES,)}
    receivers = Receivers()
    send_together(store, routes, receivers, lambda: NOW)
    others = {one.event: one.together for one in receivers.messages if isinstance(one, Notification)}
    assert set(others) == {"flights/1/1/0", "rail/2/1/0"}
    assert [deployment.name for deployment, _ in others["flights/1/1/0"]] == ["rail", "ships"]
    assert others["rail/2/1/0"] == ()


def test_a_run_that_holds_pages_leaves_them_pending_and_a_later_one_sends_them(store: Store) -> None:
    page(store, 1)
    receivers = Receivers()
    held = NotificationOutbox(store, 1, (PAGES,), receivers, clock=lambda: NOW, renew=lambda _: None)
    held.holds_pages = True
    held.send_pending(last=True)
    assert receivers.sent == []
    NotificationOutbox(store, 1, (PAGES,), receivers, clock=lambda: NOW, renew=lambda _: None).send_pending(last=True)
    assert receivers.sent == [("pages", "flights/1/1/0")]


def test_a_deployment_that_is_being_judged_is_left_out(store: Store) -> None:
    page(store, 1)
    page(store, 2)
    receivers = Receivers()
    with store.leases.take(1, "another", NOW, 60):
        assert together(store, receivers) == 0
    assert receivers.messages == []
    assert together(store, receivers) == 1
