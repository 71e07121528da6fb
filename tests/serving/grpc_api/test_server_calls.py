"""Whole calls by gRPC's own client: what is answered and refused, with which words and metadata."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from serving.grpc_api.server import GrpcSettings
from serving.http2.connection_settings import ConnectionSettings
from serving.server.tf_serving_files import read_grpc_tls
from tests.serving.certificates import OURS, ssl_file
from tests.serving.grpc_api.conftest import predict_request
from tests.serving.memory_log import MemoryLog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.serving.grpc_api.conftest import OpenSite, Site

PREDICT = "/tensorflow.serving.PredictionService/Predict"
REQUEST = predict_request("half_plus_two", {"x": np.array([1.0, 2.0], np.float32)})
IDS = ["x-answer-id", "x-request-id"]


def refusal(site: Site, body: bytes, method: str = PREDICT, **options: Any) -> tuple[str, str, list[str]]:
    """The code, words and names of metadata of a refused call."""
    with pytest.raises(grpc.RpcError) as caught:
        site.channel.unary_unary(method)(body, timeout=30, **options)
    error = caught.value
    return error.code().name, error.details(), sorted(name for name, _ in error.trailing_metadata() or ())


@pytest.fixture(scope="module")
def small(open_site: OpenSite) -> Iterator[Site]:
    """A server that takes messages of 8 MiB."""
    with open_site(settings=GrpcSettings(connection=ConnectionSettings(message_bytes=8 << 20))) as site:
        yield site


@pytest.mark.parametrize("rows", [3, 1_000_000])
def test_an_answer_has_all_rows(small: Site, rows: int) -> None:
    numbers = np.arange(rows, dtype=np.float32)
    unlimited = [("grpc.max_receive_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(small.target, unlimited) as channel:
        answer = channel.unary_unary(PREDICT)(predict_request("half_plus_two", {"x": numbers}).SerializeToString())
    values = predict_pb2.PredictResponse.FromString(answer).outputs["y"].float_val
    assert np.array_equal(np.array(values, np.float32), numbers / 2 + 2)


@pytest.mark.parametrize(
    ("body", "method", "expected"),
    [
        (bytes((8 << 20) + 1), PREDICT, ("RESOURCE_EXHAUSTED", "Received message larger than max", [])),
        (b"\xff\xff", PREDICT, ("INTERNAL", "The request is not a tensorflow.serving.PredictRequest message.", [])),
        (b"", PREDICT, ("INVALID_ARGUMENT", "Missing ModelSpec", IDS[1:])),
        (b"", "/tensorflow.serving.PredictionService/Nothing", ("UNIMPLEMENTED", "Method not found!", [])),
        (b"", "/nobody.Service/Predict", ("UNIMPLEMENTED", "Method not found!", [])),
        (
            b"",
            "/tensorflow.serving.ModelService/HandleReloadConfigRequest",
            ("UNIMPLEMENTED", "This server's list of models is fixed.", IDS[1:]),
        ),
    ],
    ids=["too large", "no message", "an empty message", "no method", "no service", "a fixed list"],
)
def test_what_is_refused(small: Site, body: bytes, method: str, expected: tuple[str, str, list[str]]) -> None:
    code, words, metadata = refusal(small, body, method)
    assert (code, words[: len(expected[1])], metadata) == expected


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ((("x-request-id", "r:1"), ("x-event-time", "2013-04-01T05:15:00-04:00")), IDS),
        ((("other-bin", b"\x00\xff\n"), ("authorization", "Bearer nobody")), IDS[1:]),
        ((("x-long", "v" * 3000),), IDS[1:]),
    ],
)
def test_metadata_is_read(site: Site, metadata: tuple[tuple[str, str | bytes], ...], expected: list[str]) -> None:
    _, call = site.predictions.Predict.with_call(REQUEST, metadata=metadata)
    assert sorted(name for name, _ in call.trailing_metadata()) == expected


@pytest.mark.parametrize("algorithm", [grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_compressed_messages_are_taken(site: Site, algorithm: grpc.Compression) -> None:
    numbers = np.random.default_rng(7).integers(0, 9, 20_000).astype(np.float32)
    request = predict_request("half_plus_two", {"x": numbers})
    answer = site.predictions.Predict(request, compression=algorithm)
    assert list(answer.outputs["y"].float_val[:3]) == list(numbers[:3] / 2 + 2)


def test_compressed_messages_that_become_too_large_are_refused(site: Site) -> None:
    zeros = predict_request("half_plus_two", {"x": np.zeros(5_000_000, np.float32)})
    code, words, _ = refusal(site, zeros.SerializeToString(), compression=grpc.Compression.Gzip)
    assert (code, "see --max-inflation" in words) == ("RESOURCE_EXHAUSTED", True)


def test_an_answer_is_logged_with_peer_and_both_ids(open_site: OpenSite) -> None:
    log = MemoryLog()
    with open_site(writer=log) as site:
        _, call = site.predictions.Predict.with_call(REQUEST, metadata=(("x-request-id", "order-1"),))
        site.predictions.Predict(REQUEST)
    ids = dict(call.trailing_metadata())
    first, second = log.appends
    assert (ids["x-request-id"], list(first.answer_ids)) == ("order-1", [ids["x-answer-id"]] * 2)
    assert list(second.answer_ids) == list(first.principals) == []
    assert list(first.peers) == ["127.0.0.1"] * 2


def test_a_certificate_names_the_caller(open_site: OpenSite, tmp_path: Path) -> None:
    log = MemoryLog()
    settings = GrpcSettings(tls=read_grpc_tls(ssl_file(tmp_path, client_verify=True)))
    client = OURS.party("shop")
    credentials = grpc.ssl_channel_credentials(OURS.certificate, client.key, client.certificate)
    options = [("grpc.ssl_target_name_override", "localhost")]
    with (
        open_site(writer=log, settings=settings) as site,
        grpc.secure_channel(site.target, credentials, options) as channel,
    ):
        prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(REQUEST)
    assert list(log.appends[0].principals) == ["shop", "shop"]


def test_calls_that_send_no_message_end_and_health_answers_meanwhile(open_site: OpenSite) -> None:
    with open_site(settings=GrpcSettings(calls=8, connection=ConnectionSettings(stall_s=0.5))) as site:
        stop = threading.Event()

        def nothing() -> Iterator[Any]:
            stop.wait(30)
            yield from ()

        call = site.channel.stream_unary(PREDICT)
        silent = [call.future(nothing()) for _ in range(20)]
        time.sleep(0.2)
        check = health_pb2_grpc.HealthStub(site.channel).Check
        assert check(health_pb2.HealthCheckRequest(), timeout=30).status == health_pb2.HealthCheckResponse.SERVING
        codes = {each.exception(timeout=30).code() for each in silent}
        assert codes == {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED}
        stop.set()
        assert site.predictions.Predict(REQUEST).model_spec.version.value == 123


def test_a_call_without_a_message_is_refused(site: Site) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        site.channel.stream_unary(PREDICT)(iter(()), timeout=30)
    assert caught.value.code() is grpc.StatusCode.INTERNAL
