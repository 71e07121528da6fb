"""Splits: nothing on both sides, whole blocks and domains, and a name on each."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.errors import BadInput
from pitfalls_tf.rows.splits import Split, blocked_split, domain_split, random_split, time_split

if TYPE_CHECKING:
    from collections.abc import Callable

DAYS = np.repeat(np.arange("2013-01-01", "2013-03-01", dtype="datetime64[D]"), 3)


def check(split: Split) -> None:
    assert not set(split.training) & set(split.held_out)
    for positions in (split.training, split.held_out):
        assert len(positions)
        assert (np.diff(positions) > 0).all()


@settings(max_examples=50)
@given(st.integers(10, 200), st.floats(0.1, 0.9), st.integers(0, 5))
def test_a_random_split_takes_its_share_and_loses_no_row(rows: int, share: float, seed: int) -> None:
    split = random_split(rows, share=share, seed=seed)
    check(split)
    assert len(split.held_out) == round(share * rows)
    assert len(split.training) + len(split.held_out) == rows
    assert random_split(rows, share=share, seed=seed).held_out.tolist() == split.held_out.tolist()


@settings(max_examples=30)
@given(st.integers(1, 10), st.floats(0.2, 0.8), st.integers(0, 5))
def test_a_blocked_split_cuts_no_block(block_days: int, share: float, seed: int) -> None:
    split = blocked_split(DAYS, block_days=block_days, share=share, seed=seed)
    check(split)
    blocks = (DAYS - DAYS[0]).astype(int) // block_days
    assert not set(blocks[split.training]) & set(blocks[split.held_out])
    assert len(split.training) + len(split.held_out) == len(DAYS)
    assert split.kind == "blocked"
    assert f"blocks of {block_days} days" in split.described


def test_a_time_split_trains_on_the_past_only_and_says_until_when() -> None:
    times = DAYS.astype("datetime64[us]")
    at, until = datetime(2013, 2, 1, tzinfo=UTC), datetime(2013, 2, 8, tzinfo=UTC)
    split = time_split(times, at=at, until=until)
    check(split)
    assert times[split.training].max() < np.datetime64("2013-02-01") == times[split.held_out].min()
    assert times[split.held_out].max() == np.datetime64("2013-02-07")
    assert split.described == (
        "trained before 2013-02-01T00:00:00+00:00, held out from then on until 2013-02-08T00:00:00+00:00"
    )
    assert len(time_split(times, at=at).held_out) == 3 * 28


def test_a_domain_split_keeps_domains_whole_and_may_leave_some_out() -> None:
    domains = np.array(["uci", "mnist", "font", "mnist", "uci"])
    split = domain_split(domains, held_out=["uci"])
    check(split)
    assert (split.training.tolist(), split.held_out.tolist()) == ([1, 2, 3], [0, 4])
    assert split.described == "trained on font, mnist, held out uci"
    assert domain_split(domains, held_out=["uci"], training=["mnist"]).training.tolist() == [1, 3]


def test_what_cannot_be_split_is_refused_in_words() -> None:
    domains, times = np.array(["a", "b"]), np.array(["2013-01-01", "NaT"], dtype="datetime64[us]")
    refusals: list[tuple[Callable[[], Split], str]] = [
        (lambda: random_split(10, share=1.0, seed=0), "share must be between"),
        (lambda: random_split(2, share=0.1, seed=0), "leaves one side empty"),
        (lambda: blocked_split(DAYS, block_days=0, share=0.2, seed=0), "at least one day"),
        (lambda: time_split(times, at=datetime(2013, 1, 1, tzinfo=UTC)), "1 of 2 rows without"),
        (lambda: time_split(times[:1], at=datetime(2013, 1, 1)), "without a time zone"),  # noqa: DTZ001 - the point
        (lambda: time_split(times[:1], at=datetime(2012, 1, 1, tzinfo=UTC)), "leaves one side empty"),
        (lambda: domain_split(domains, held_out=["c"]), "No row is of that domain"),
        (lambda: domain_split(domains, held_out=["a"], training=["a"]), "trained on and held out"),
        (lambda: domain_split(domains, held_out=["a", "b"]), "leaves one side empty"),
    ]
    for wrong, said in refusals:
        with pytest.raises(BadInput, match=said):
            wrong()
