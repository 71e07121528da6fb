"""A segment gives back every whole record, whatever became of its end."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput, CannotRun
from monitoring.timestamps import as_microseconds
from monitoring.traffic.format.segments import (
    SegmentFile,
    decode_segment,
    read_segment,
    read_segment_schema,
    segment_name,
    segments_in,
)

NOON = datetime(2013, 4, 1, 12, tzinfo=UTC)
SCHEMA = pa.schema(
    [("id", pa.string()), ("x", pa.list_(pa.binary())), ("n", pa.int64())], metadata={b"pitfalls.format": b"1"}
)


def record(first: int, count: int) -> bytes:
    numbers = range(first, first + count)
    columns = [[f"r{n}" for n in numbers], [[b"a" * (n % 5)] for n in numbers], list(numbers)]
    batch = pa.RecordBatch.from_arrays(
        [pa.array(c, t) for c, t in zip(columns, SCHEMA.types, strict=True)], schema=SCHEMA
    )
    return bytes(batch.serialize().to_pybytes())


COUNTS = (1, 3, 2)
RECORDS = [record(sum(COUNTS[:i]), count) for i, count in enumerate(COUNTS)]
HEAD = bytes(SCHEMA.serialize().to_pybytes())
WHOLE = HEAD + b"".join(RECORDS)
ENDS = [len(HEAD) + sum(len(each) for each in RECORDS[:i]) for i in range(len(COUNTS) + 1)]


def whole_records(length: int) -> int:
    return sum(end <= length for end in ENDS) - 1


def test_cut_at_any_byte_it_gives_the_records_before_and_counts_the_rest() -> None:
    for length in range(len(WHOLE) + 1):
        contents = decode_segment(pa.py_buffer(WHOLE[:length]))
        if length < len(HEAD):
            assert contents.table is None
            assert contents.torn_bytes == length
            continue
        kept = whole_records(length)
        assert contents.table is not None
        assert contents.table["n"].to_pylist() == list(range(sum(COUNTS[:kept])))
        assert contents.torn_bytes == length - ENDS[kept]


@given(st.integers(0, len(WHOLE)), st.binary(min_size=1, max_size=64) | st.integers(1, 5000).map(bytes))
def test_rubbish_after_a_cut_hides_no_whole_record_and_never_fails(length: int, rubbish: bytes) -> None:
    contents = decode_segment(pa.py_buffer(WHOLE[:length] + rubbish))
    kept = whole_records(length)
    if kept < 0:
        assert contents.torn_bytes <= length + len(rubbish)
        return
    assert contents.table is not None
    before = sum(COUNTS[:kept])
    assert contents.table["n"].to_pylist()[:before] == list(range(before))
    if length in ENDS:
        assert contents.table.num_rows == before
        assert contents.torn_bytes == len(rubbish)


@given(st.binary(max_size=200) | st.binary(max_size=100).map(lambda tail: HEAD + tail))
def test_bytes_that_are_no_segment_at_all_give_no_rows(data: bytes) -> None:
    contents = decode_segment(pa.py_buffer(data))
    assert contents.table is None or contents.table.num_rows == 0


@given(st.integers(len(HEAD), len(WHOLE) - 1), st.integers(1, 255))
def test_one_flipped_byte_never_crashes_the_reader(place: int, flip: int) -> None:
    damaged = bytearray(WHOLE)
    damaged[place] ^= flip
    contents = decode_segment(pa.py_buffer(bytes(damaged)))
    assert contents.table is not None
    contents.table.validate(full=True)
    kept = whole_records(place)
    assert contents.table["n"].to_pylist()[: sum(COUNTS[:kept])] == list(range(sum(COUNTS[:kept])))


def test_bytes_that_changed_in_the_midst_are_told_from_an_append_that_was_interrupted() -> None:
    spot = ENDS[1] + 64
    changed = WHOLE[:spot] + b"\x77" * 48 + WHOLE[spot + 48 :]
    found = decode_segment(pa.py_buffer(changed))
    assert found.damaged
    assert found.torn_bytes == len(WHOLE) - ENDS[1]
    for length in range(ENDS[1], len(WHOLE) + 1):
        assert not decode_segment(pa.py_buffer(WHOLE[:length])).damaged


def test_columns_are_picked_without_losing_count_of_torn_bytes(tmp_path: Path) -> None:
    path = tmp_path / "s.arrows"
    path.write_bytes(WHOLE[:-1])
    contents = read_segment(path, ["n", "absent"])
    assert contents.table is not None
    assert contents.table.column_names == ["n"]
    assert contents.table.num_rows == 4
    assert contents.torn_bytes == len(RECORDS[-1]) - 1


def test_names_sort_in_order_of_creation_even_if_the_clock_stands_or_goes_back() -> None:
    names = [segment_name(NOON) for _ in range(20)]
    names.append(segment_name(datetime(2012, 1, 1, tzinfo=UTC), after=names[-1]))
    assert names == sorted(names)
    assert len(set(names)) == len(names)
    assert names[0].startswith(f"{as_microseconds(NOON) * 1000:020d}-{os.getpid():07d}-")


def test_a_living_owner_keeps_its_segment_and_a_dead_one_leaves_it(tmp_path: Path) -> None:
    segment = SegmentFile.create(tmp_path, NOON)
    assert SegmentFile.claim(segment.path) is None
    segment.append(WHOLE)
    segment.release()
    segment.release()
    claimed = SegmentFile.claim(segment.path)
    assert claimed is not None
    assert claimed.size == len(WHOLE)
    claimed.remove()
    assert segments_in(tmp_path) == ()
    assert SegmentFile.claim(segment.path) is None


def test_a_segment_of_somebody_else_or_of_another_format_is_named(tmp_path: Path) -> None:
    foreign, newer = tmp_path / "foreign.arrows", tmp_path / "newer.arrows"
    foreign.write_bytes(SCHEMA.remove_metadata().serialize().to_pybytes())
    newer.write_bytes(SCHEMA.with_metadata({b"pitfalls.format": b"2"}).serialize().to_pybytes())
    with pytest.raises(BadInput, match=r"foreign\.arrows is not a segment"):
        read_segment(foreign)
    with pytest.raises(CannotRun, match="format 2"):
        read_segment_schema(newer)
