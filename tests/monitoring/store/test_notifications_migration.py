"""The outbox of a store of an earlier release: what was pending stays pending, and nobody is notified twice."""

from __future__ import annotations

from tests.monitoring.store.earlier_store import check_outbox, earlier_store


def test_what_was_pending_is_an_event_and_what_was_told_is_not(url: str) -> None:
    earlier_store(url)
    check_outbox(url)
