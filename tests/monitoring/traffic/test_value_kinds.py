"""Ids and free text are told from categories by how many values are new, and by words."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from monitoring.traffic.value_kinds import MOST_LISTED, value_kind

RNG = np.random.default_rng(0)
ROWS = 3_000
WORDS = [f"w{number}" for number in range(500)]


def zipf(values: int) -> list[str]:
    weights = 1.0 / np.arange(1, values + 1)
    return [f"z{value}" for value in RNG.choice(values, ROWS, p=weights / weights.sum())]


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ([f"z{value}" for value in RNG.integers(0, 1_000, ROWS)], "category"),
        (zipf(3_000), "category"),
        ([f"{number}-{number * number}" for number in range(ROWS)], "id"),
        ([f"z{value}" for value in RNG.integers(0, 100_000, ROWS)], "id"),
        ([" ".join(RNG.choice(WORDS, 6)) for _ in range(ROWS)], "free text"),
        (["ok"] * 2_000 + [" ".join(RNG.choice(WORDS, 6)) for _ in range(1_000)], "free text"),
        ([f"a product of five words {value}" for value in RNG.integers(0, 400, ROWS)], "category"),
        ([f"a sentence number {number} of few" for number in range(MOST_LISTED)], "category"),
        ([None] * 5, "category"),
    ],
)
def test_kinds(column: list[str | None], kind: str) -> None:
    assert value_kind(pa.array(column, pa.string())) == kind
