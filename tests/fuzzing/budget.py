"""How long a fuzzer runs: a moment among the tests, FUZZ_SECONDS of the environment in `make fuzz`."""

from __future__ import annotations

import os
import time
from itertools import count
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = float(os.environ.get("FUZZ_SECONDS", "0.2"))
#: In `make fuzz` each run has other inputs; among the tests they are always the same.
FIRST = time.time_ns() if "FUZZ_SECONDS" in os.environ else 1


def seeds(seconds: float = SECONDS) -> Iterator[int]:
    """Seeds, until the time is over."""
    end = time.monotonic() + seconds
    for seed in count(FIRST):
        if time.monotonic() > end:
            return
        yield seed


def seeded(seed: int) -> Random:
    """A generator that gives the same inputs again."""
    return Random(seed)  # noqa: S311 - no secrets
