"""REST and gRPC at once, and the stop of a server that has both."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import grpc
import numpy as np
import pytest
from google.protobuf import descriptor_pool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from tensorflow_serving.apis import get_model_status_pb2, predict_pb2, prediction_service_pb2_grpc

from monitoring.traffic.log.log import TrafficLog
from serving.grpc_api.methods import GrpcMethod
from serving.grpc_api.server import GrpcSettings, describe
from serving.grpc_api.starts import by_coroutine
from serving.models.batch_settings import BatchSettings
from serving.transport.limits import ConnectionLimiter
from tests.serving.grpc_api.conftest import predict_request
from tests.serving.memory_log import BlockedLog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.serving.grpc_api.conftest import OpenSite, Site


def test_both_dialects_share_batches_and_log(open_site: OpenSite) -> None:
    """Held up by a first request, column-form REST and gRPC requests join one batch, and each gets its own rows."""
    log = BlockedLog()
    with open_site(writer=log, batches=BatchSettings(quick_s=0)) as site, ThreadPoolExecutor(4) as pool:
        first = pool.submit(site.website.predict, "half_plus_two", {"inputs": [0.0]})
        assert log.is_blocked.wait(30)
        request = predict_request("half_plus_two", {"x": np.array([2.0], np.float32)})
        calls = [site.predictions.Predict.future(request, metadata=(("x-request-id", f"g{n}"),)) for n in range(3)]
        columns = pool.submit(site.website.predict, "half_plus_two", {"inputs": [4.0]}, {"X-Request-Id": "columns"})
        log.unblock.set()
        assert first.result().status == 200
        assert [list(call.result(30).outputs["y"].float_val) for call in calls] == [[3.0]] * 3
        assert columns.result().json == {"outputs": [4.0]}
    assert sorted(log.request_ids[1:]) == ["columns", "g0", "g1", "g2"]


def test_a_unix_socket_answers_next_to_the_port(open_site: OpenSite, tmp_path: Path) -> None:
    path = tmp_path / "grpc.sock"
    request = predict_request("half_plus_two", {"x": np.array([2.0], np.float32)})
    with open_site(socket_path=path) as site, grpc.insecure_channel(f"unix:{path}") as channel:
        local = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        for stub in (local, site.predictions):
            assert list(stub.Predict(request, timeout=30).outputs["y"].float_val) == [3.0]


@pytest.mark.slow
def test_on_sigterm_every_accepted_call_is_answered_and_logged(models_folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pitfalls_tf", "serve", "--models", str(models_folder)]
    flags = ["--rest-port", "0", "--grpc-port", "0", "--traffic", str(tmp_path / "traffic"), "--json"]
    with subprocess.Popen([*command, *flags], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        document = ""
        while "pid" not in document or not document.rstrip().endswith("}"):
            document += process.stdout.readline()
        target = json.loads(document)["grpc"]
        answered: list[str] = []
        enough = threading.Event()

        def client(name: str) -> None:
            with grpc.insecure_channel(target) as channel, suppress(grpc.RpcError):
                stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
                request = predict_request("half_plus_two", {"x": np.array([1.0], np.float32)})
                for number in range(1_000_000):
                    request_id = f"{name}-{number}"
                    stub.Predict(request, metadata=(("x-request-id", request_id),))
                    answered.append(request_id)
                    if len(answered) > 200:
                        enough.set()

        clients = [threading.Thread(target=client, args=(str(name),)) for name in range(4)]
        for one in clients:
            one.start()
        assert enough.wait(60)
        process.send_signal(signal.SIGTERM)
        for one in clients:
            one.join()
        assert process.wait(60) == 0
    logged = TrafficLog(tmp_path / "traffic").read(model="half_plus_two").column("request_id").to_pylist()
    assert sorted(logged) == sorted(answered)


async def unused(_: object, __: object) -> bytes:
    raise AssertionError


def method(name: str, kind: str, module: object) -> GrpcMethod:
    request, response = getattr(module, f"{kind}Request"), getattr(module, f"{kind}Response")
    return GrpcMethod(name=name, request=request, response=response, start=by_coroutine(unused))


def test_a_service_is_found_by_its_name_with_its_methods() -> None:
    predict = method("Predict", "Predict", predict_pb2)
    status = method("Status", "GetModelStatus", get_model_status_pb2)
    pool = describe({"tests.described.One": (predict, status), "tests.described.Other": (predict,)})
    service = pool.FindServiceByName("tests.described.One")
    assert [one.name for one in service.methods] == ["Predict", "Status"]
    found = service.FindMethodByName("Status")
    assert found.input_type.full_name == "tensorflow.serving.GetModelStatusRequest"
    assert found.output_type.full_name == "tensorflow.serving.GetModelStatusResponse"
    assert [one.name for one in pool.FindServiceByName("tests.described.Other").methods] == ["Predict"]
    for name in ("grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"):
        assert pool.FindServiceByName(name).methods


def test_nothing_is_added_to_the_pool_of_the_process() -> None:
    describe({"tests.described.Third": (method("Predict", "Predict", predict_pb2),)})
    with pytest.raises(KeyError):
        descriptor_pool.Default().FindServiceByName("tests.described.Third")


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


def test_reflection_knows_the_services_and_their_methods(site: Site) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(site.channel)
    wanted = "tensorflow.serving.ModelService"
    sent = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=wanted),
    ]
    sent.append(reflection_pb2.ServerReflectionRequest(file_containing_symbol="inference.GRPCInferenceService"))
    listed, described, inference = stub.ServerReflectionInfo(iter(sent))
    names = {one.name for one in listed.list_services_response.service}
    expected = {wanted, "tensorflow.serving.PredictionService", "grpc.health.v1.Health"}
    assert expected | {"inference.GRPCInferenceService"} <= names
    assert any(b"ModelInfer" in file for file in inference.file_descriptor_response.file_descriptor_proto)
    assert any(b"GetModelStatus" in file for file in described.file_descriptor_response.file_descriptor_proto)


def test_an_open_reflection_stream_ends_when_the_server_drains(open_site: OpenSite) -> None:
    questions: queue.Queue[Any] = queue.Queue()
    with open_site() as site:
        stub = reflection_pb2_grpc.ServerReflectionStub(site.channel)
        answers = stub.ServerReflectionInfo(iter(questions.get, None))
        questions.put(reflection_pb2.ServerReflectionRequest(list_services=""))
        listed = [one.name for one in next(answers).list_services_response.service]
        assert "tensorflow.serving.PredictionService" in listed
        site.server.should_exit = True
        assert list(answers) == [], "no error: a stream that is cut off would raise CANCELLED"
        questions.put(None)


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
