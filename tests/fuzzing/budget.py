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
#: In `make fuzz` each run has other inputs; among the tests they are always the same, and as many.
FUZZING = "FUZZ_SECONDS" in os.environ
FIRST = time.time_ns() if FUZZING else 1
FEW = 60


def seeds(seconds: float = SECONDS) -> Iterator[int]:
    """Seeds, until the time is over; among the tests `FEW` of them."""
    end = time.monotonic() + seconds
    for seed in count(FIRST):
        if time.monotonic() > end if FUZZING else seed == FIRST + FEW:
            return
        yield seed


def seeded(seed: int) -> Random:
    """A generator that gives the same inputs again."""
    return Random(seed)  # noqa: S311 - no secrets
