"""Health checks and watches over gRPC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.serving.grpc_api.conftest import OpenSite, Site


SERVING = health_pb2.HealthCheckResponse.SERVING


NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def failure(call: Callable[[Any], Any], request: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call(request)
    return caught.value.code(), caught.value.details()


@pytest.mark.parametrize("service", ["", "PredictionService", "tensorflow.serving.ModelService"])
def test_health(site: Site, service: str) -> None:
    stub = health_pb2_grpc.HealthStub(site.channel)
    assert stub.Check(health_pb2.HealthCheckRequest(service=service)).status == SERVING
    code, _ = failure(stub.Check, health_pb2.HealthCheckRequest(service="other"))
    assert code == grpc.StatusCode.NOT_FOUND


def test_watches_get_not_serving_and_end_when_the_server_drains(open_site: OpenSite) -> None:
    with open_site() as site:
        stub = health_pb2_grpc.HealthStub(site.channel)
        watching = stub.Watch(health_pb2.HealthCheckRequest())
        assert next(watching).status == SERVING
        unknown = stub.Watch(health_pb2.HealthCheckRequest(service="other"))
        assert next(unknown).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
        site.server.should_exit = True
        assert [one.status for one in watching] == [NOT_SERVING]
        assert list(unknown) == []
