"""The same calls to gRPC's library and to this server's own HTTP/2, which must answer alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from serving.grpc_api.server import GrpcSettings
from tests.serving.grpc_api.conftest import predict_request
from tests.serving.memory_log import MemoryLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.serving.grpc_api.conftest import OpenSite, Site

PREDICT = "/tensorflow.serving.PredictionService/Predict"
WHOLE = predict_request("half_plus_two", {"x": np.arange(3, dtype=np.float32)})
LARGE = predict_request("half_plus_two", {"x": np.arange(1_000_000, dtype=np.float32)})
Outcome = tuple[Any, ...]
LOG = MemoryLog()


@pytest.fixture(scope="module")
def both(open_site: OpenSite) -> Iterator[tuple[Site, Site]]:
    """A server of each engine, with the same models."""
    with (
        open_site(settings=GrpcSettings(message_bytes=8 << 20)) as library,
        open_site(writer=LOG, settings=GrpcSettings(message_bytes=8 << 20, engine="loop")) as loop,
    ):
        yield library, loop


def outcome(ask: Callable[[], tuple[bytes, Any]]) -> Outcome:
    """The answer's bytes and its trailing metadata's names, or the error's code and words."""
    try:
        answer, call = ask()
    except grpc.RpcError as error:
        return error.code(), error.details(), sorted(name for name, _ in error.trailing_metadata() or ())
    return answer, sorted(name for name, _ in call.trailing_metadata() or ())


def asked(site: Site, body: bytes, method: str = PREDICT, **options: Any) -> Outcome:
    return outcome(lambda: site.channel.unary_unary(method).with_call(body, timeout=30, **options))


BODIES = {
    "an answer": WHOLE.SerializeToString(),
    "a large one": LARGE.SerializeToString(),
    "a larger one than is taken": bytes((8 << 20) + 1),
    "no message": b"\xff\xff",
    "an empty message": b"",
    "an unknown model": predict_request("nobody", {}).SerializeToString(),
    "a wrong input": predict_request("half_plus_two", {"z": 1.0}).SerializeToString(),
}


@pytest.mark.parametrize("what", BODIES)
def test_predict(both: tuple[Site, Site], what: str) -> None:
    library, loop = (asked(site, BODIES[what]) for site in both)
    if what == "a larger one than is taken":  # the library's own words come before the server's
        assert library[0] is loop[0] is grpc.StatusCode.RESOURCE_EXHAUSTED
    else:
        assert library == loop


@pytest.mark.parametrize(
    "metadata",
    [
        (("x-request-id", "r:1"), ("x-event-time", "2013-04-01T05:15:00-04:00")),
        (("x-request-id", "two words"),),
        (("x-event-time", "yesterday"),),
        (("other-bin", b"\x00\xff\n"), ("authorization", "Bearer nobody")),
        (("x-long", "v" * 3000),),
    ],
)
def test_metadata(both: tuple[Site, Site], metadata: tuple[tuple[str, str], ...]) -> None:
    library, loop = (asked(site, BODIES["an answer"], metadata=metadata) for site in both)
    assert library == loop


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("/tensorflow.serving.PredictionService/Nothing", b""),
        ("/nobody.Service/Predict", b""),
        ("/tensorflow.serving.ModelService/HandleReloadConfigRequest", b""),
        ("/inference.GRPCInferenceService/ServerMetadata", b""),
        ("/inference.GRPCInferenceService/ServerReady", b""),
    ],
)
def test_other_methods(both: tuple[Site, Site], method: str, body: bytes) -> None:
    library, loop = (asked(site, body, method) for site in both)
    assert library == loop


def test_pages_health_and_reflection(both: tuple[Site, Site]) -> None:
    def seen(site: Site) -> list[Any]:
        status = get_model_status_pb2.GetModelStatusRequest()
        status.model_spec.name = "half_plus_two"
        metadata = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        metadata.model_spec.name = "half_plus_two"
        health = health_pb2_grpc.HealthStub(site.channel)
        reflection = reflection_pb2_grpc.ServerReflectionStub(site.channel)
        watch = health.Watch(health_pb2.HealthCheckRequest())
        first = next(watch)
        watch.cancel()
        wanted = [
            reflection_pb2.ServerReflectionRequest(list_services=""),
            reflection_pb2.ServerReflectionRequest(file_containing_symbol="tensorflow.serving.PredictionService"),
        ]
        return [
            site.model_service.GetModelStatus(status),
            site.predictions.GetModelMetadata(metadata).SerializeToString(deterministic=True),
            health.Check(health_pb2.HealthCheckRequest(service="PredictionService")),
            first,
            outcome(lambda: health.Check.with_call(health_pb2.HealthCheckRequest(service="nobody"))),
            list(reflection.ServerReflectionInfo(iter(wanted))),
        ]

    library, loop = map(seen, both)
    assert library == loop


def test_compression_is_refused_by_both(both: tuple[Site, Site]) -> None:
    codes = [asked(site, BODIES["an answer"], compression=grpc.Compression.Gzip)[0] for site in both]
    assert codes == [grpc.StatusCode.UNIMPLEMENTED] * 2


def test_what_is_logged_names_the_same_client(both: tuple[Site, Site]) -> None:
    _, loop = both
    asked(loop, BODIES["an answer"], metadata=(("x-request-id", "logged"),))
    assert "logged" in LOG.request_ids
