"""A record put together from its parts is, byte for byte, the one that Arrow would have made."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from monitoring.traffic.format.ipc_messages import BatchBody, BatchShape, MessageTemplate
from monitoring.traffic.format.tensors import TensorEncoder

PLAIN = [np.dtype(name) for name in ("bool", "int8", "uint16", "int32", "uint64", "float16", "float32", "float64")]


def strings(shape: tuple[int, ...]) -> st.SearchStrategy[np.ndarray]:
    count = math.prod(shape)

    def tensor(values: list[bytes]) -> np.ndarray:
        array = np.empty(count, object)
        array[:] = values
        return array.reshape(shape)

    return st.lists(st.binary(max_size=9), min_size=count, max_size=count).map(tensor)


@st.composite
def columns(draw: st.DrawFn) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Two batches of the same columns and of other lengths."""
    kinds = draw(
        st.lists(st.tuples(st.sampled_from([*PLAIN, None]), hnp.array_shapes(max_dims=2, min_side=0)), min_size=1)
    )
    one, two = (
        [
            draw(strings((rows, *shape)) if dtype is None else hnp.arrays(dtype, (rows, *shape)))
            for dtype, shape in kinds
        ]
        for rows in draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    )
    return one, two


def arrow(tensors: list[np.ndarray]) -> pa.RecordBatch:
    arrays = [TensorEncoder.of(tensor).encode(tensor) for tensor in tensors]
    return pa.RecordBatch.from_arrays(arrays, names=[str(index) for index in range(len(arrays))])


@given(columns())
def test_a_template_from_one_batch_encodes_another_as_arrow_does(
    batches: tuple[list[np.ndarray], list[np.ndarray]],
) -> None:
    one, two = batches
    body = BatchBody()
    encoders = [TensorEncoder.of(tensor) for tensor in two]
    assert all(encoder.add_to(body, tensor) for encoder, tensor in zip(encoders, two, strict=True))
    form = BatchShape(
        rows=len(two[0]),
        nodes=tuple(size for encoder in encoders for size in encoder.nodes),
        lengths=tuple(size for encoder in encoders for size in encoder.lengths),
    )
    framed = MessageTemplate.of(arrow(one).serialize()).encode(form, body)
    expected = arrow(two)
    read = pa.ipc.read_record_batch(pa.py_buffer(framed), expected.schema)
    read.validate(full=True)
    assert read.serialize().equals(expected.serialize())
    assert framed == expected.serialize().to_pybytes()


def test_what_only_arrow_can_convert_puts_nothing() -> None:
    for tensor in (np.array(["é"]), np.array(["a", None], object), np.array([1 + 2j]), np.array([1.0], ">f4")):
        body = BatchBody()
        assert not TensorEncoder.of(tensor).add_to(body, tensor)
        assert body == BatchBody()
