"""A receiver by HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.monitoring.notifications.receivers import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as state:
        yield state
