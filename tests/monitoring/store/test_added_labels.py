"""Requests that added labels, in the store."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitoring.store import Store
from monitoring.store import added_labels as module
from monitoring.store.added_labels import AddedLabels
from tests.monitoring.store.conftest import APRIL


def test_the_last_requests_are_kept_the_newest_first(
    store: Store, deployment: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT", 3)
    requests = [AddedLabels(at=APRIL + timedelta(hours=hour), by="ada", labels=hour) for hour in range(5)]
    for one in requests:
        store.added_labels.add(deployment, one)
    assert store.added_labels.latest(deployment) == tuple(requests[:1:-1])
    assert store.added_labels.latest(deployment, latest=1) == tuple(requests[-1:])
    assert store.added_labels.latest(deployment + 1) == ()
