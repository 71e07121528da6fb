"""A call has a caller and a deadline, and may have several parts."""

from __future__ import annotations

from serving.capture.capture import Caller
from serving.grpc_api.call import GrpcCall

CALLER = Caller(request_id="r", event_time_us=5, arrived_us=7)


def test_a_part_of_a_call_keeps_everything_but_the_id() -> None:
    call = GrpcCall(CALLER, 1.5)
    other = call.part("regress")
    assert other == GrpcCall(Caller(request_id="r/regress", event_time_us=5, arrived_us=7), 1.5)
    assert call.caller is CALLER


def test_a_call_may_have_no_deadline() -> None:
    assert GrpcCall(CALLER, None).part("other").timeout_s is None
