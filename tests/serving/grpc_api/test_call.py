"""A call has a caller and a deadline, and may be logged under several ids."""

from __future__ import annotations

from serving.capture.capture import Caller
from serving.grpc_api.call import GrpcCall

CALLER = Caller(request_id="r", event_time_us=5, arrived_us=7)


def test_a_call_under_another_id_keeps_everything_else() -> None:
    call = GrpcCall(CALLER, 1.5)
    other = call.with_request_id("r/regress")
    assert other == GrpcCall(Caller(request_id="r/regress", event_time_us=5, arrived_us=7), 1.5)
    assert call.caller is CALLER


def test_a_call_may_have_no_deadline() -> None:
    assert GrpcCall(CALLER, None).with_request_id("other").timeout_s is None
