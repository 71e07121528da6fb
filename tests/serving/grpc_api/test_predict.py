"""Predict over gRPC, by the stubs of tensorflow-serving-api: the contract's table, encodings, filters, ids, limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow import make_ndarray, make_tensor_proto
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow_serving.apis import predict_pb2

from serving.grpc_api.server import GrpcSettings
from serving.http2.connection_settings import ConnectionSettings
from serving.models.batch_settings import BatchSettings
from serving.models.loading import load_version
from serving.models.version_folders import discover
from serving.models.versions import Models
from serving.transport.limits import ConnectionLimiter
from tests.serving.grpc_api.conftest import predict_request
from tests.serving.memory_log import BlockedLog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.serving.grpc_api.conftest import OpenSite, Site

NAMED = {
    "ints": np.array([[1, 2], [3, 4]], np.int32),
    "name": np.array([b"foo", "é".encode()], object),
    "feat": np.array([[1.0, 0.5], [2.0, 0.25]], np.float32),
}


WRONG_NUMBER = (
    "input size does not match signature: 1!=3 len({x}) != len({feat,ints,name}). Sent extra: {x}. "
    "Missing but required: {feat,ints,name}."
)
WRONG_NAME = (
    "Signature input alias: x(feed name: serving_default_x:0) not found in request and no default value provided. "
    "Inputs expected to be in the request {z}, or default input alias set: "
)


def floats(*values: float) -> np.ndarray[Any, Any]:
    return np.array(values, np.float32)


def failure(site: Site, request: Any, **options: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        site.predictions.Predict(request, **options)
    return caught.value.code(), caught.value.details()


def test_an_answer_has_typed_values_and_says_who_gave_it(site: Site) -> None:
    answer = site.predictions.Predict(predict_request("half_plus_two", {"x": floats(2, 3, 4)}))
    assert list(answer.outputs["y"].float_val) == [3.0, 3.5, 4.0]
    assert answer.outputs["y"].tensor_content == b""
    assert [dimension.size for dimension in answer.outputs["y"].tensor_shape.dim] == [3]
    spec = answer.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == ("half_plus_two", 123, "serving_default")


def test_several_inputs_and_outputs_keep_their_types(site: Site) -> None:
    answer = site.predictions.Predict(predict_request("named", NAMED))
    assert list(answer.outputs["isum"].int_val) == [3, 7]
    assert list(answer.outputs["name_out"].string_val) == [b"foo", "é".encode()]
    assert make_ndarray(answer.outputs["fx2"]).tolist() == [[2.0, 1.0], [4.0, 0.5]]


@pytest.mark.parametrize(
    ("dtype", "field"),
    [
        ("float32", "float_val"),
        ("float64", "double_val"),
        ("int8", "int_val"),
        ("uint8", "int_val"),
        ("int16", "int_val"),
        ("int32", "int_val"),
        ("int64", "int64_val"),
        ("uint32", "uint32_val"),
        ("uint64", "uint64_val"),
        ("bool", "bool_val"),
        ("float16", "half_val"),
        ("string", "string_val"),
    ],
)
def test_every_type_comes_back_as_it_went_in_both_encodings(site: Site, dtype: str, field: str) -> None:
    values = np.array([b"a", b"\xff", b""], object) if dtype == "string" else np.array([1, 0, 1], dtype)
    packed = make_tensor_proto(values)
    # As an answer: the values in the field of their type.
    echoed = site.predictions.Predict(predict_request("typed", {"x": packed}, signature=dtype)).outputs["y"]
    assert (len(getattr(echoed, field)), echoed.tensor_content) == (3, b"")
    again = site.predictions.Predict(predict_request("typed", {"x": echoed}, signature=dtype)).outputs["y"]
    for answer in (echoed, again):
        assert make_ndarray(answer).tolist() == values.tolist()
        assert answer.dtype == packed.dtype


def test_the_last_value_is_repeated_for_missing_ones(site: Site) -> None:
    short = TensorProto(dtype=1, float_val=[2.0, 6.0])
    for size in (2, 2):
        short.tensor_shape.dim.add(size=size)
    answer = site.predictions.Predict(predict_request("half_plus_two", {"x": short}))
    assert make_ndarray(answer.outputs["y"]).tolist() == [[3.0, 5.0], [5.0, 5.0]]
    del short.float_val[:]
    answer = site.predictions.Predict(predict_request("half_plus_two", {"x": short}))
    assert make_ndarray(answer.outputs["y"]).tolist() == [[2.0, 2.0], [2.0, 2.0]], "none at all are zeros"


def test_a_scalar_has_a_shape_without_dimensions(site: Site) -> None:
    answer = site.predictions.Predict(predict_request("half_plus_two", {"x": np.float32(3)}))
    output = answer.outputs["y"]
    assert (output.HasField("tensor_shape"), len(output.tensor_shape.dim), list(output.float_val)) == (True, 0, [3.5])


@pytest.mark.parametrize(
    ("model", "inputs", "signature", "code", "text"),
    [
        ("", {}, "", "INVALID_ARGUMENT", "ModelSpec has no name specified."),
        ("foo", {}, "", "NOT_FOUND", "Servable not found for request: Latest(foo)"),
        ("named", NAMED, "s", "FAILED_PRECONDITION", 'Serving signature key "s" not found.'),
        ("named", {"x": floats(1)}, "", "INVALID_ARGUMENT", WRONG_NUMBER),
        ("half_plus_two", {"z": floats(1)}, "", "INVALID_ARGUMENT", WRONG_NAME),
        ("half_plus_two", {"x": TensorProto()}, "", "INVALID_ARGUMENT", "tensor parsing error: x"),
    ],
)
def test_the_contract_s_table(
    site: Site, model: str, inputs: dict[str, Any], signature: str, code: str, text: str
) -> None:
    request = predict_request(model, inputs, signature=signature)
    assert failure(site, request) == (grpc.StatusCode[code], text)


def test_no_model_spec(site: Site) -> None:
    assert failure(site, predict_pb2.PredictRequest()) == (grpc.StatusCode.INVALID_ARGUMENT, "Missing ModelSpec")


@pytest.mark.parametrize(
    ("value", "start"),
    [
        (np.array([[1, 2, 3]], np.float32), "Matrix size-incompatible: In[0]: [1,3], In[1]: [4,2]"),
        (np.array([[1, 2, 3, 4]], np.int32), "Type mismatch: actual int32 vs. expect float"),
    ],
    ids=["shape", "dtype"],
)
def test_shapes_and_types_are_the_graph_s_to_judge(site: Site, value: Any, start: str) -> None:
    code, text = failure(site, predict_request("dense4", {"feat": value}))
    assert (code, start in text) == (grpc.StatusCode.INVALID_ARGUMENT, True), text


def test_versions_and_labels(site: Site) -> None:
    request = predict_request("half_plus_two", {"x": floats(2)})
    for version in (123, 0):  # 0 is what some clients send when they want the default
        request.model_spec.version.value = version
        assert site.predictions.Predict(request).model_spec.version.value == 123
    request.model_spec.version.value = 50
    assert failure(site, request) == (
        grpc.StatusCode.NOT_FOUND,
        "Servable not found for request: Specific(half_plus_two, 50)",
    )
    request.model_spec.version_label = "stable"
    answer = site.predictions.Predict(request)
    assert (answer.model_spec.version.value, answer.model_spec.WhichOneof("version_choice")) == (123, "version")
    request.model_spec.version_label = "canary"
    assert failure(site, request) == (grpc.StatusCode.INVALID_ARGUMENT, "Unrecognized servable version label: canary")


def test_the_output_filter(site: Site) -> None:
    request = predict_request("named", NAMED)
    request.output_filter.extend(["name_out", "isum"])
    assert set(site.predictions.Predict(request).outputs) == {"name_out", "isum"}
    request.output_filter.append("isum")
    assert failure(site, request) == (grpc.StatusCode.INVALID_ARGUMENT, "duplicate output tensor alias: isum")
    request.output_filter[:] = ["z"]
    known = "{fx2,isum,name_bytes,name_out}"
    text = f"output tensor alias not found in signature: z Outputs expected to be in the set {known}."
    assert failure(site, request) == (grpc.StatusCode.INVALID_ARGUMENT, text)


def test_messages_are_bounded_as_sent_and_as_written_out(open_site: OpenSite) -> None:
    with open_site(settings=GrpcSettings(connection=ConnectionSettings(message_bytes=4096))) as site:
        code, text = failure(site, predict_request("half_plus_two", {"x": np.zeros(2000, np.float32)}))
        assert (code, "larger than max" in text) == (grpc.StatusCode.RESOURCE_EXHAUSTED, True)
        short = TensorProto(dtype=1, float_val=[1.0])
        short.tensor_shape.dim.add(size=1 << 40)
        code, text = failure(site, predict_request("half_plus_two", {"x": short}))
        assert (code, text.startswith("tensor parsing error: x: ")) == (grpc.StatusCode.INVALID_ARGUMENT, True)
        site.predictions.Predict(predict_request("half_plus_two", {"x": np.zeros(900, np.float32)}))


def test_a_queue_without_room_is_unavailable(open_site: OpenSite) -> None:
    request = predict_request("half_plus_two", {"x": floats(1, 2)})
    with open_site(batches=BatchSettings(max_waiting=0)) as site:
        code, text = failure(site, request)
        assert (code, text.startswith("The batch scheduling queue to which this task was submitted is full")) == (
            grpc.StatusCode.UNAVAILABLE,
            True,
        )
    with open_site(batches=BatchSettings(max_rows=1, refuse_larger=True)) as site:
        assert failure(site, request) == (
            grpc.StatusCode.INVALID_ARGUMENT,
            "Task size 2 is larger than maximum input batch size 1",
        )


def test_the_rows_that_a_few_bytes_stand_for_are_bounded(site: Site) -> None:
    request = predict_request("half_plus_two", {"x": TensorProto(dtype=1, float_val=[1.0])})
    request.inputs["x"].tensor_shape.dim.add(size=4096)
    assert len(site.predictions.Predict(request).outputs["y"].float_val) == 4096
    request.inputs["x"].tensor_shape.dim[0].size = 65_536
    code, text = failure(site, request)
    assert (code, "65536 rows are too many" in text) == (grpc.StatusCode.INVALID_ARGUMENT, True)


def test_what_inputs_take_is_held_until_the_answer(open_site: OpenSite) -> None:
    """4,096 floats that stand in 40 bytes: they count, and are let go."""
    log, limiter = BlockedLog(), ConnectionLimiter(max_connections=0, max_held_bytes=20_000)
    request = predict_request("half_plus_two", {"x": TensorProto(dtype=1, float_val=[1.0])})
    request.inputs["x"].tensor_shape.dim.add(size=4096)
    with open_site(writer=log, batches=BatchSettings(quick_s=0), limiter=limiter) as site:
        first = site.predictions.Predict.future(request)
        assert log.is_blocked.wait(30)
        code, _ = failure(site, request)
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
        log.unblock.set()
        assert len(first.result(30).outputs["y"].float_val) == 4096
        assert limiter.hold_bytes(20_000)


USUAL = tf.constant(3.0)


@pytest.fixture(scope="module")
def site_of_defaults(open_site: OpenSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    def scaled(x: tf.Tensor, scale: tf.Tensor = USUAL) -> dict[str, tf.Tensor]:
        return {"y": x * scale}

    folder = tmp_path_factory.mktemp("models")
    module = tf.Module()
    module.scaled = tf.function(
        scaled, input_signature=[tf.TensorSpec([None], tf.float32, "x"), tf.TensorSpec([], tf.float32, "scale")]
    )
    module.nothing = tf.function(lambda: {"y": USUAL}, input_signature=[])
    signatures = {"serving_default": module.scaled, "nothing": module.nothing}
    tf.saved_model.save(module, str(folder / "m" / "1"), signatures=signatures)
    served = Models(lambda: discover(folder, {}), load=load_version, report=lambda _: None)
    served.poll()
    with open_site(served=served) as opened:
        yield opened
    served.close()


def ask(site_of_defaults: Site, **inputs: Any) -> list[float]:
    values = {name: np.array(value, np.float32) for name, value in inputs.items()}
    return list(site_of_defaults.predictions.Predict(predict_request("m", values)).outputs["y"].float_val)


def test_a_default_is_used_for_a_missing_input(site_of_defaults: Site) -> None:
    assert ask(site_of_defaults, x=[1, 2]) == [3.0, 6.0]
    assert ask(site_of_defaults, x=[1, 2], scale=2) == [2.0, 4.0]


@pytest.mark.parametrize("names", [("scale",), (), ("scale", "z")])
def test_an_input_without_a_default_must_be_given(site_of_defaults: Site, names: tuple[str, ...]) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        ask(site_of_defaults, **dict.fromkeys(names, 1.0))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details() == (
        "Signature input alias: x(feed name: serving_default_x:0) not found in request and no default value provided. "
        f"Inputs expected to be in the request {{{','.join(names)}}}, or default input alias set: scale"
    )


def test_metadata_shows_it_and_rest_wants_every_input(site_of_defaults: Site) -> None:
    document = site_of_defaults.website.send("GET", "/v1/models/m/metadata").json
    defaults = document["metadata"]["signature_def"]["signature_def"]["serving_default"]["defaults"]
    assert defaults["scale"]["float_val"] == [3.0]
    reply = site_of_defaults.website.predict("m", {"inputs": {"x": [1.0]}})
    assert (reply.status, reply.error) == (400, "Missing named input: scale in 'inputs' object.")


def test_a_signature_without_inputs_answers_over_grpc_only(site_of_defaults: Site) -> None:
    answer = site_of_defaults.predictions.Predict(predict_request("m", {}, signature="nothing"))
    assert list(answer.outputs["y"].float_val) == [3.0]
    reply = site_of_defaults.website.predict("m", {"signature_name": "nothing", "inputs": {}})
    assert (reply.status, reply.error) == (400, "Failed to get input map for signature: nothing")
