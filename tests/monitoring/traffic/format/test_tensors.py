"""A tensor in the log is the tensor, bit for bit."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import ml_dtypes
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from monitoring.errors import BadInput
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.format.tensors import TensorEncoder, decoded, flatten_scalars, tensor_type
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.writer import TrafficWriter

NUMBERS = [
    np.dtype(name) for name in ("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
]
NUMBERS += [np.dtype(name) for name in ("float16", "float32", "float64")]
shapes = hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4)


def encode(tensor: np.ndarray) -> pa.Array:
    column = TensorEncoder.of(tensor).encode(tensor)
    column.validate(full=True)
    return column


@given(st.data(), st.sampled_from(NUMBERS), shapes, st.booleans())
def test_numbers_keep_their_bits_whatever_the_memory_layout(
    data: st.DataObject, dtype: np.dtype, shape: tuple[int, ...], fortran: bool
) -> None:
    tensor = data.draw(hnp.arrays(dtype, shape))
    tensor = np.asfortranarray(tensor) if fortran else tensor
    column = encode(tensor)
    assert len(column) == len(tensor)
    assert column.type.value_type == pa.from_numpy_dtype(dtype)
    values = column.flatten().to_numpy(zero_copy_only=False).astype(dtype)
    assert values.tobytes() == np.ascontiguousarray(tensor).tobytes()


def test_nan_payloads_infinities_and_extremes_survive_parquet(tmp_path: Path) -> None:
    floats = np.array([0x7FC00001, 0xFFC12345, 0x7F800000, 0x80000000], np.uint32).view(np.float32)
    integers = np.array([np.iinfo(np.int64).min, np.iinfo(np.int64).max, -1, 0])
    truths = np.array([True, False, False, True])
    writer = TrafficWriter(tmp_path, clock=lambda: datetime(2013, 4, 1, tzinfo=UTC))
    writer.append(rows_of({"floats": floats, "integers": integers, "truths": truths}))
    writer.close()
    table = flatten_scalars(TrafficLog(tmp_path).read(model="m"))
    assert table["input:floats"].to_numpy().tobytes() == floats.tobytes()
    assert table["input:integers"].to_pylist() == integers.tolist()
    assert table["input:truths"].to_pylist() == truths.tolist()
    assert table.column("input:floats").null_count == 0


@given(st.lists(st.one_of(st.binary(), st.text().map(str.encode)), min_size=1, max_size=20))
def test_any_bytes_come_back(values: list[bytes]) -> None:
    tensor = np.array([*values, b""], dtype=object)[:-1]  # the last one keeps NumPy from guessing
    assert encode(tensor).to_pylist() == [[value] for value in values]


@given(st.lists(st.text(), min_size=1, max_size=20))
def test_strings_of_any_unicode_are_their_utf8(values: list[str]) -> None:
    tensor = np.empty(len(values), dtype=object)
    tensor[:] = values
    assert flatten_scalars(pa.table({"input:s": encode(tensor)}))["input:s"].to_pylist() == values


@pytest.mark.parametrize(
    ("tensor", "stored"),
    [
        (np.array([b"UA", b"B6"], "S2"), [[b"UA"], [b"B6"]]),
        (np.array(["ü", "名"], "U1"), [["ü".encode()], ["名".encode()]]),
        (np.array([1, -2], ">i4"), [[1], [-2]]),
        (np.array([1.5, 2.5], ml_dtypes.bfloat16), [[1.5], [2.5]]),
        (np.array([1 + 2j, 3 - 4j], np.complex64), [[1.0, 2.0], [3.0, -4.0]]),
        (np.array([[True, False], [False, False]]), [[True, False], [False, False]]),
        (np.zeros((2, 0), np.float32), [[], []]),
    ],
    ids=["S", "U", "big endian", "bfloat16", "complex64", "bool", "empty rows"],
)
def test_other_dtypes_are_stored_as_what_arrow_has(tensor: np.ndarray, stored: list[list[object]]) -> None:
    assert encode(tensor).to_pylist() == stored


def test_a_tensor_that_arrow_cannot_hold_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match="datetime64"):
        tensor_type(np.dtype("datetime64[D]"))


def test_only_columns_of_one_element_per_row_are_flattened() -> None:
    table = pa.table(
        {
            "input:one": pa.array([[1], None, [3]]),
            "input:two": [[1, 2], [3, 4], [5, 6]],
            "input:ragged": [[1], [], [2]],
            "input:bytes": [[b"a"], [b"\xff"], ["é".encode()]],
            "untouched": [[1], [2], [3]],
        }
    )
    assert flatten_scalars(table).to_pydict() == {
        "input:one": [1, None, 3],
        "input:two": [[1, 2], [3, 4], [5, 6]],
        "input:ragged": [[1], [], [2]],
        "input:bytes": ["a", "\\xff", "é"],
        "untouched": [[1], [2], [3]],
    }


def test_flattening_works_on_slices_chunks_and_nothing() -> None:
    table = pa.table({"input:x": pa.chunked_array([[[1], [2]], [[3]]])})
    assert flatten_scalars(table.slice(1))["input:x"].to_pylist() == [2, 3]
    assert flatten_scalars(table.slice(3)).schema.types == [pa.int64()]
    assert decoded(pa.array([None, b"x"])).to_pylist() == [None, "x"]


def rows_of(inputs: dict[str, np.ndarray]) -> AnsweredRows:
    count = len(next(iter(inputs.values())))
    return AnsweredRows(
        model="m",
        version=1,
        signature="s",
        request_ids=["r"] * count,
        rows=range(count),
        event_times_us=np.zeros(count, np.int64),
        answered_at_us=0,
        latencies_us=np.zeros(count, np.int64),
        inputs=inputs,
        outputs={},
    )
