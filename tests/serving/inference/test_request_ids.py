"""Request ids are version 7 UUIDs, in order, whatever the clock does."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from serving.inference.request_ids import AnswerIds, RequestIds

clocks = st.lists(st.integers(0, (1 << 48) - 2), min_size=1, max_size=50)


@given(milliseconds=st.integers(0, (1 << 48) - 1), noise=st.binary(min_size=8, max_size=8))
def test_an_id_is_a_uuid_of_version_7_with_its_time(milliseconds: int, noise: bytes) -> None:
    made = RequestIds(clock_ns=lambda: milliseconds * 1_000_000 + 999_999, random=lambda size: (noise * size)[:size])
    read = uuid.UUID(made.new())
    assert (read.version, read.variant) == (7, uuid.RFC_4122)
    assert read.int >> 80 == milliseconds
    assert read.int & ((1 << 62) - 1) == int.from_bytes(noise) & ((1 << 62) - 1)


@given(times=clocks)
def test_ids_rise_even_if_the_clock_stands_still_or_goes_back(times: list[int]) -> None:
    clock = iter(time * 1_000_000 for time in times)
    made = RequestIds(clock_ns=lambda: next(clock), random=bytes)
    ids = [made.new() for _ in times]
    assert ids == sorted(set(ids))


def test_a_full_millisecond_borrows_from_the_next() -> None:
    made = RequestIds(clock_ns=lambda: 5_000_000, random=bytes)
    last = [uuid.UUID(made.new()) for _ in range(4097)][-1]
    assert last.int >> 80 == 6
    assert last.version == 7


def test_two_processes_do_not_meet() -> None:
    one, other = RequestIds(clock_ns=lambda: 1), RequestIds(clock_ns=lambda: 1)
    assert not {one.new() for _ in range(1000)} & {other.new() for _ in range(1000)}


def test_ids_of_answers_do_not_meet_and_are_short() -> None:
    one, other = AnswerIds(), AnswerIds()
    ids = [made.new() for made in (one, other) for _ in range(1000)]
    assert len(set(ids)) == 2000
    assert all(each.startswith("pitfalls-") and len(each) <= 45 for each in ids)
