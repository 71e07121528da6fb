"""Batches to write, and a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from monitoring.timestamps import as_microseconds
from monitoring.traffic.format.rows import AnsweredRows

NOON = datetime(2013, 4, 1, 12, tzinfo=UTC)
NOON_US = as_microseconds(NOON)


@pytest.fixture
def clock() -> Callable[[], datetime]:
    return lambda: NOON


@pytest.fixture
def answer() -> Callable[..., AnsweredRows]:
    """Rows of one request of `flights`, whose tensors tell from which request and row they are."""

    def rows(  # one knob per thing that a test varies
        request: str = "r",
        count: int = 2,
        *,
        at: datetime = NOON,
        model: str = "flights",
        version: int = 1,
        signature: str = "serving_default",
        salt: float = 0.0,
    ) -> AnsweredRows:
        start = as_microseconds(at)
        numbers = np.arange(count, dtype=np.float32) + np.float32(salt)
        return AnsweredRows(
            model=model,
            version=version,
            signature=signature,
            request_ids=[request] * count,
            rows=np.arange(count, dtype=np.int32),
            event_times_us=start + np.arange(count, dtype=np.int64),
            answered_at_us=start + 1000,
            latencies_us=np.full(count, 1500, np.int64),
            inputs={"temp": numbers, "carrier": np.array([b"UA"] * count, dtype=object)},
            outputs={"probabilities": np.stack([1 - numbers, numbers], axis=1)},
        )

    return rows
