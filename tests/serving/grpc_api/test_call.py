"""A call has a caller and a deadline, and may have several parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis.model_pb2 import ModelSpec

from serving.capture.capture import Caller
from serving.grpc_api.call import GrpcCall, ServableRequest, read_model_spec, read_spec, write_spec
from serving.models.signatures import DEFAULT_SIGNATURE
from serving.status import Failure

CALLER = Caller(request_id="r", event_time_us=5, arrived_us=7)


def test_a_part_of_a_call_keeps_everything_but_the_id() -> None:
    call = GrpcCall(CALLER, 1.5)
    other = call.part("regress")
    assert other == GrpcCall(Caller(request_id="r/regress", event_time_us=5, arrived_us=7), 1.5)
    assert call.caller is CALLER


def test_a_call_may_have_no_deadline() -> None:
    assert GrpcCall(CALLER, None).part("other").timeout_s is None


def test_by_default_a_spec_names_the_newest_version_and_the_default_signature() -> None:
    assert read_spec(ModelSpec(name="m")) == ServableRequest(
        model="m", version=None, label=None, signature=DEFAULT_SIGNATURE
    )


@given(st.text(min_size=1), st.integers(0, 2**63 - 1), st.text(min_size=1))
def test_a_written_spec_is_read_back(name: str, number: int, signature: str) -> None:
    spec = ModelSpec()
    write_spec(spec, name, number, signature)
    assert read_spec(spec) == ServableRequest(model=name, version=number, signature=signature)


def test_a_version_and_a_label_exclude_each_other() -> None:
    spec = ModelSpec(name="m", version_label="stable")
    assert (read_spec(spec).version, read_spec(spec).label) == (None, "stable")
    spec.version.value = 0
    assert (read_spec(spec).version, read_spec(spec).label) == (0, None), "0 is a version that was given"


def test_a_request_must_name_a_model() -> None:
    request = predict_pb2.PredictRequest()
    with pytest.raises(Failure, match="Missing ModelSpec"):
        read_model_spec(request)
    request.model_spec.signature_name = "s"
    with pytest.raises(Failure, match="ModelSpec has no name specified"):
        read_model_spec(request)
    request.model_spec.name = "m"
    assert read_model_spec(request) == ServableRequest(model="m", signature="s")
