"""The tensor codec against TensorFlow's own: every type, any shape, both encodings; and bytes of any kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tensorflow import make_ndarray, make_tensor_proto
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow_serving.apis.predict_pb2 import PredictResponse

from serving.grpc_api.predict import write_response
from serving.grpc_api.tensors import VALUES, ShortForms, decode, encode, tensor_parts
from serving.models.signatures import numpy_type
from serving.status import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

LIMIT = 1 << 20
ELEMENTS = sorted(VALUES)


@st.composite
def arrays(draw: st.DrawFn) -> np.ndarray[Any, Any]:
    """Arrays of every type that a tensor can hold, of 0 to 3 dimensions."""
    element = draw(st.sampled_from(ELEMENTS))
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
    if element == "string":
        flat = draw(st.lists(st.binary(max_size=200), min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
        strings = np.empty(len(flat), object)
        strings[:] = flat
        return strings.reshape(shape)
    if element == "bfloat16":
        bits: np.ndarray[Any, Any] = draw(hnp.arrays(np.uint16, shape))
        return bits.view(ml_dtypes.bfloat16)
    drawn: np.ndarray[Any, Any] = draw(hnp.arrays(numpy_type(element), shape))
    return drawn


def same(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> bool:
    """The same type, shape and bits, NaN included."""
    if one.dtype == np.object_:
        return one.shape == other.shape and bool(one.tolist() == other.tolist())
    return bool(one.dtype == other.dtype) and one.shape == other.shape and one.tobytes() == other.tobytes()


@given(arrays())
def test_what_is_encoded_is_decoded_again(array: np.ndarray[Any, Any]) -> None:
    message = TensorProto()
    encode(array, message)
    assert message.tensor_content == b""
    assert same(decode("x", TensorProto.FromString(message.SerializeToString()), LIMIT, ShortForms()), array)


@given(arrays(), st.sampled_from([0, 1 << 12]))
def test_what_is_written_without_a_message_is_what_a_message_would_be(
    array: np.ndarray[Any, Any], copied_bytes: int
) -> None:
    message = TensorProto()
    encode(array, message)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("serving.grpc_api.tensors.COPIED_BYTES", copied_bytes)
        assert b"".join(tensor_parts(array)) == message.SerializeToString()
        assert b"".join(tensor_parts(array.T)) == b"".join(tensor_parts(array.T.copy()))


@given(st.dictionaries(st.text(max_size=200), arrays(), max_size=3), st.text(max_size=200), st.integers(0, 2**63 - 1))
def test_an_answer_is_what_protobuf_reads(outputs: dict[str, np.ndarray[Any, Any]], model: str, number: int) -> None:
    response = PredictResponse.FromString(write_response(model, number, "signature", outputs))
    assert (response.model_spec.name, response.model_spec.version.value) == (model, number)
    assert response.model_spec.signature_name == "signature"
    assert set(response.outputs) == set(outputs)
    for name, value in outputs.items():
        assert same(decode(name, response.outputs[name], LIMIT, ShortForms()), value)


@given(arrays())
def test_tensorflow_reads_what_is_encoded_and_is_read(array: np.ndarray[Any, Any]) -> None:
    message = TensorProto()
    encode(array, message)
    assert same(make_ndarray(message), array) or np.isnan(array.astype(np.complex128)).any()
    assert same(decode("x", make_tensor_proto(array), LIMIT, ShortForms()), array)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=5))
def test_packed_strings(values: list[bytes]) -> None:
    def varint(size: int) -> bytes:
        return bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7])

    content = b"".join(varint(len(value)) for value in values) + b"".join(values)
    message = TensorProto(dtype=7, tensor_content=content)
    message.tensor_shape.dim.add(size=len(values))
    assert decode("x", message, LIMIT, ShortForms()).tolist() == values
    message.tensor_content = content + b"!"
    with pytest.raises(Failure, match="tensor parsing error: x"):
        decode("x", message, LIMIT, ShortForms())


@given(
    st.builds(TensorProto, dtype=st.integers(0, 30), tensor_content=st.binary(), int_val=st.lists(st.integers(0, 9)))
)
def test_any_message_is_a_tensor_or_a_failure(message: TensorProto) -> None:
    for sizes in ((), (2,), (-1,), (3, 0), (2**62, 2**62), (1,) * 100, (0, 2**62)):
        del message.tensor_shape.dim[:]
        for size in sizes:
            message.tensor_shape.dim.add(size=size)
        text = ""
        try:
            assert decode("x", message, LIMIT, ShortForms()).shape == sizes
        except Failure as failure:
            text = failure.message
        assert text == "" or text.startswith("tensor parsing error: x")


def test_a_truth_value_is_any_byte_that_is_not_zero() -> None:
    message = TensorProto(dtype=10, tensor_content=b"\x00\x01\x02")
    message.tensor_shape.dim.add(size=3)
    assert decode("x", message, LIMIT, ShortForms()).tolist() == [False, True, True]


def test_a_type_without_a_field_is_unimplemented() -> None:
    with pytest.raises(Failure, match="cannot be answered over gRPC"):
        encode(np.zeros(1, "datetime64[s]"), TensorProto())


def short(size: int, *others: int, value: float = 1.5) -> TensorProto:
    """One value that stands for all of a shape."""
    message = TensorProto(dtype=1, float_val=[value])
    for each in (size, *others):
        message.tensor_shape.dim.add(size=each)
    return message


def test_a_short_form_has_a_bounded_number_of_rows() -> None:
    assert decode("x", short(4096), LIMIT, ShortForms()).tolist() == [1.5] * 4096
    with pytest.raises(Failure, match="4097 rows are too many for a short form"):
        decode("x", short(4097), LIMIT, ShortForms())


def test_short_forms_are_bounded_together() -> None:
    """Sixteen inputs of 4,096 rows each, of one value: 481 bytes in all."""
    together = ShortForms()
    for number in range(16):
        decode(f"x{number}", short(4096, 4), LIMIT, together)
    with pytest.raises(Failure, match="x16: the shape is too large for a short form"):
        decode("x16", short(4096, 4), LIMIT, together)


def test_the_answer_to_a_short_form_is_bounded() -> None:
    def write(outputs: Mapping[str, np.ndarray[Any, Any]]) -> bytes:
        return b"%d" % len(outputs)

    forms = ShortForms()
    assert forms.bounded(write) is write
    decode("x", short(4), LIMIT, forms)
    assert forms.bounded(write)({"y": np.zeros(1 << 20, np.float32)}) == b"1"
    with pytest.raises(Failure, match="The answer has 4194308 bytes, which are too many"):
        forms.bounded(write)({"y": np.zeros(1 << 20, np.float32), "z": np.zeros(1, np.float32)})


def test_a_short_form_costs_what_it_stands_for() -> None:
    for message in (
        TensorProto(dtype=7, string_val=[b"a" * 5000]),
        TensorProto(dtype=7, string_val=[b"", b"a" * 99_000]),
    ):
        message.tensor_shape.dim.add(size=4096)
        with pytest.raises(Failure, match="too large for a short form"):
            decode("x", message, 64 << 20, ShortForms())
    wide = TensorProto(dtype=1, float_val=[1.0])
    for size in (4096, 256):
        wide.tensor_shape.dim.add(size=size)
    with pytest.raises(Failure, match="too large for a short form"):
        decode("x", wide, 64 << 20, ShortForms())


def test_a_tensor_holds_a_bounded_number_of_strings() -> None:
    message = TensorProto(dtype=7, tensor_content=bytes((1 << 20) + 1))
    message.tensor_shape.dim.add(size=(1 << 20) + 1)
    with pytest.raises(Failure, match="1048577 strings are more than this server takes"):
        decode("x", message, 64 << 20, ShortForms())
