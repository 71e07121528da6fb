"""Limits of all gRPC clients together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import numpy as np
import pytest
from tensorflow_serving.apis import prediction_service_pb2_grpc

from serving.grpc_api.server import GrpcSettings
from serving.models.batch_settings import BatchSettings
from serving.transport.limits import ConnectionLimiter
from tests.serving.grpc_api.conftest import predict_request
from tests.serving.memory_log import BlockedLog

if TYPE_CHECKING:
    from tests.serving.grpc_api.conftest import OpenSite, Site

REQUEST = predict_request("half_plus_two", {"x": np.array([1.0], np.float32)})


def code_of(site: Site) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as caught:
        site.predictions.Predict(REQUEST)
    code: grpc.StatusCode = caught.value.code()
    return code


FULL = grpc.StatusCode.RESOURCE_EXHAUSTED


def test_the_bytes_of_all_calls_are_bounded_together(open_site: OpenSite) -> None:
    log, limiter = BlockedLog(), ConnectionLimiter(max_connections=0, max_held_bytes=2 * REQUEST.ByteSize() - 1)
    with open_site(writer=log, batches=BatchSettings(quick_s=0), limiter=limiter) as site:
        first = site.predictions.Predict.future(REQUEST)
        assert log.is_blocked.wait(30)
        assert code_of(site) is FULL
        log.unblock.set()
        assert first.result(30).model_spec.version.value == 123
        site.predictions.Predict(REQUEST)  # what was held was let go
    assert len(log.request_ids) == 2


def test_the_number_of_calls_is_bounded(open_site: OpenSite) -> None:
    log = BlockedLog()
    with open_site(writer=log, batches=BatchSettings(quick_s=0), settings=GrpcSettings(calls=1)) as site:
        first = site.predictions.Predict.future(REQUEST)
        assert log.is_blocked.wait(30)
        assert code_of(site) is FULL
        log.unblock.set()
        assert first.result(30).model_spec.version.value == 123


def test_the_number_of_connections_is_bounded(open_site: OpenSite) -> None:
    options = [("grpc.use_local_subchannel_pool", 1)]  # otherwise channels share a connection
    with open_site(settings=GrpcSettings(connections=2)) as site:
        site.predictions.Predict(REQUEST)
        with (
            grpc.insecure_channel(site.target, options) as second,
            grpc.insecure_channel(site.target, options) as third,
        ):
            prediction_service_pb2_grpc.PredictionServiceStub(second).Predict(REQUEST)
            with pytest.raises(grpc.RpcError) as caught:
                prediction_service_pb2_grpc.PredictionServiceStub(third).Predict(REQUEST)
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
            site.predictions.Predict(REQUEST)  # those that are there stay
