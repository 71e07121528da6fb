"""The tasks of the built-in sources."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pitfalls_tf.experiments.tasks.source_tasks import (
    BLOCK_DAYS,
    QUICK_ROWS,
    SHARE,
    benchmark_splits,
    evenly_spaced,
    load,
    raw_rows,
)
from tests.pitfalls_tf.small_examples import rows


@given(st.integers(1, 300), st.integers(1, 300))
def test_positions_are_distinct_ascending_and_as_many_as_allowed(count: int, most: int) -> None:
    positions = evenly_spaced(count, most)
    assert len(positions) == min(count, most)
    assert (np.diff(positions) >= 1).all()
    assert positions[0] == 0
    assert positions[-1] < count


def test_blocks_are_held_out_whole_and_every_row_has_one_role() -> None:
    examples = rows(300, seed=1)
    days = np.datetime64("2020-01-01") + np.arange(300) // 5
    splits = benchmark_splits(examples, blocks=days, block_days=3)
    assert sum(len(part) for part in splits.values()) == 300
    numbers = {role: part.times.astype(np.int64) for role, part in splits.items()}
    held_blocks = set((numbers["blocked"] // 15).tolist())
    rest = np.concatenate([numbers["training"], numbers["random"]])
    assert not held_blocks & set((rest // 15).tolist())


def test_rows_without_days_have_no_blocks() -> None:
    assert set(benchmark_splits(rows(100, seed=1), blocks=None, block_days=1)) == {"training", "random"}


@pytest.mark.parametrize(("source", "first"), [("flights", "2013-04-01"), ("rodents", "1984-01-01")])
def test_the_deployment_is_later_than_the_training_period(source: str, first: str) -> None:
    task = load(source, quick=True)
    border = np.datetime64(first)
    early = [task.training, *(part.examples for part in task.parts if part.split != "deployed")]
    later = [part.examples for part in task.parts if part.split == "deployed"]
    # Periods are local days and times are UTC: a day of tolerance.
    assert all((part.times.astype("datetime64[D]") <= border).all() for part in early)
    assert all((part.times.astype("datetime64[D]") >= border - 1).all() for part in later)
    assert all(len(part) <= QUICK_ROWS[source][1] for part in later)
    assert len(task.training) < QUICK_ROWS[source][0] * (1 - SHARE)
    assert source in BLOCK_DAYS


def test_raw_rows_are_the_held_out_and_the_deployed_rows() -> None:
    task, raw = load("flights", quick=True), raw_rows("flights", quick=True)
    counts = {
        split: sum(len(part.examples) for part in task.parts if part.split == split)
        for split in ("random", "blocked", "deployed")
    }
    assert len(raw.held) == counts["random"] + counts["blocked"]
    assert len(raw.deployed) == counts["deployed"]


def test_images_are_scored_by_source_and_raw_ones_keep_their_range() -> None:
    task = load("digits", quick=True)
    assert [(part.split, part.domain) for part in task.parts] == [
        ("random", "mnist"),
        ("deployed", "uci"),
        ("deployed", "font"),
    ]
    raw = load("digits", quick=True, preprocessing="raw")
    assert np.allclose(raw.training.inputs, task.training.inputs * 255)
