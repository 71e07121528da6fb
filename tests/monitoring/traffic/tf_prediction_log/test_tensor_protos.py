"""Tensors of the log are TensorFlow's TensorProtos, bit for bit, and back."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tensorflow.core.framework import tensor_pb2

from monitoring.errors import BadInput
from monitoring.traffic.format.tensors import Shape, TensorEncoder, tensor_field
from monitoring.traffic.tf_prediction_log.tensor_protos import read_tensor, write_tensor

BFLOAT16 = np.dtype(tf.bfloat16.as_numpy_dtype)
DTYPES = [
    np.dtype(name) for name in ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?", "c8", "c16"]
]
PLAIN = [dtype for dtype in DTYPES if dtype.kind not in "?c"]


def proto_of(tensor: np.ndarray, shape: Shape | None = None) -> tensor_pb2.TensorProto:
    """As a tensor of the log is written; `shape` is what the log knows of its inner shape."""
    encoder = TensorEncoder.of(tensor)
    proto = tensor_pb2.TensorProto()
    field = tensor_field("input:x", encoder.kind, tensor.shape[1:] if shape is None else shape)
    write_tensor(proto, field, encoder.encode(tensor))
    return proto


@given(st.data(), st.sampled_from(PLAIN), arrays.array_shapes(max_dims=3, min_side=0, max_side=3))
def test_tensorflow_reads_what_is_written_and_it_comes_back_with_its_bits(
    data: st.DataObject, dtype: np.dtype, shape: tuple[int, ...]
) -> None:
    tensor = data.draw(arrays.arrays(dtype, shape))
    proto = proto_of(tensor)
    read, by_tensorflow = read_tensor(proto), tf.make_ndarray(proto)
    assert read.dtype == by_tensorflow.dtype == dtype
    assert read.shape == by_tensorflow.shape == shape
    assert read.tobytes() == by_tensorflow.tobytes() == tensor.tobytes()


@pytest.mark.parametrize(
    ("known", "expected"), [((3, 2), (2, 3, 2)), ((-1, 2), (2, 3, 2)), ((-1, -1), (2, 6, 1)), ((-1, 0), (2, 6, 1))]
)
def test_a_dimension_that_varies_is_worked_out_and_two_are_flattened(known: Shape, expected: Shape) -> None:
    proto = proto_of(np.arange(12.0).reshape(2, 3, 2), known)
    assert tuple(dim.size for dim in proto.tensor_shape.dim) == expected


@pytest.mark.parametrize("compact", [True, False])
@pytest.mark.parametrize("dtype", [*DTYPES, BFLOAT16, np.dtype(object)], ids=str)
def test_tensors_of_tensorflow_in_both_encodings(dtype: np.dtype, compact: bool) -> None:
    values = np.array([b"a", b"", b"\xff"] if dtype.kind == "O" else [1, 0, 1]).astype(dtype)
    proto = tf.make_tensor_proto(values)
    if not compact and dtype.kind != "O":
        [wide] = [tf.make_tensor_proto(values[:1])]  # one element is written as a typed value
        wide.tensor_shape.dim[0].size = 3
        assert read_tensor(wide).tolist() == values[[0, 0, 0]].tolist()
        return
    read = read_tensor(proto)
    assert (read.tolist(), read.dtype) == (values.tolist(), values.dtype)


def test_missing_values_of_the_short_form_repeat_the_last_one_or_are_zero() -> None:
    proto = tensor_pb2.TensorProto(dtype=tf.float32.as_datatype_enum, float_val=[1.0, 2.0])
    proto.tensor_shape.dim.add().size = 4
    assert read_tensor(proto).tolist() == [1.0, 2.0, 2.0, 2.0]
    proto.ClearField("float_val")
    assert read_tensor(proto).tolist() == [0.0] * 4


def test_another_number_of_values_or_another_dtype_is_refused() -> None:
    proto = tf.make_tensor_proto(np.arange(3.0))
    proto.tensor_shape.dim[0].size = 2
    with pytest.raises(BadInput, match=r"24 bytes for shape \[2\]"):
        read_tensor(proto)
    proto = tensor_pb2.TensorProto(dtype=tf.float32.as_datatype_enum, float_val=[1.0, 2.0])
    proto.tensor_shape.dim.add().size = 1
    with pytest.raises(BadInput, match="2 values where there are 1 elements"):
        read_tensor(proto)
    with pytest.raises(BadInput, match=r"cannot hold a tensor of this dtype.*dtype 20"):
        read_tensor(tensor_pb2.TensorProto(dtype=tf.resource.as_datatype_enum))
