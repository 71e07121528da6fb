"""Calls are bounded: all together, of one peer, and in the time that their message may take."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving.grpc_api.call_limiter import CallLimiter
from serving.grpc_api.server import GrpcSettings
from tests.serving.grpc_api.conftest import predict_request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.serving.grpc_api.conftest import OpenSite

REQUEST = predict_request("half_plus_two", {"x": np.array([1.0], np.float32)})
PREDICT = "/tensorflow.serving.PredictionService/Predict"


def test_one_peer_has_half_of_the_calls() -> None:
    limiter = CallLimiter(4, 1.0)
    with limiter.counted("a") as one, limiter.counted("a") as two, limiter.counted("a") as three:
        assert (one, two, three) == (True, True, False)
        with limiter.counted("b") as other, limiter.counted("c") as late:
            assert (other, late) == (True, False), "five calls are counted"
    with limiter.counted("a") as again:
        assert again


def test_calls_that_send_no_message_end_and_health_answers_meanwhile(open_site: OpenSite) -> None:
    with open_site(settings=GrpcSettings(calls=8, message_s=0.5)) as site:
        stop = threading.Event()

        def nothing() -> Iterator[Any]:
            stop.wait(30)
            yield from ()

        call = site.channel.stream_unary(PREDICT)
        silent = [call.future(nothing()) for _ in range(20)]
        time.sleep(0.2)
        check = health_pb2_grpc.HealthStub(site.channel).Check
        assert check(health_pb2.HealthCheckRequest(), timeout=30).status == health_pb2.HealthCheckResponse.SERVING
        codes = {one.exception(timeout=30).code() for one in silent}
        assert codes == {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED}
        stop.set()
        assert site.predictions.Predict(REQUEST).model_spec.version.value == 123


def test_a_call_without_a_message_is_refused(open_site: OpenSite) -> None:
    with open_site() as site, pytest.raises(grpc.RpcError) as caught:
        site.channel.stream_unary(PREDICT)(iter(()), timeout=30)
    assert caught.value.code() is grpc.StatusCode.INTERNAL


def test_compressed_messages_are_taken_only_where_that_is_set(open_site: OpenSite) -> None:
    with open_site(settings=GrpcSettings(compression=True)) as site:
        answer = site.predictions.Predict(REQUEST, compression=grpc.Compression.Gzip)
        assert answer.model_spec.version.value == 123
    with open_site() as site, pytest.raises(grpc.RpcError) as caught:
        site.predictions.Predict(REQUEST, compression=grpc.Compression.Gzip)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
