"""The services have TensorFlow Serving's and the Open Inference Protocol's methods with their messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from serving.capture.capture import Capture
from serving.grpc_api.methods import MODEL_SERVICE, PREDICTION_SERVICE, GrpcDependencies, make_services
from serving.inference.inference import Inference
from serving.metrics.metrics import ServerMetrics
from serving.models.batch_settings import BatchSettings
from tests.serving.grpc_api.v2_client import failure, infer_request, send, tensor
from tests.serving.memory_log import BlockedLog, MemoryLog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from serving.grpc_api.methods import Services
    from serving.models.versions import Models
    from tests.serving.grpc_api.conftest import OpenSite, Site


@pytest.fixture
def services(models: Models) -> Iterator[Services]:
    inference = Inference(capture=Capture(None))
    yield make_services(GrpcDependencies(models=models, inference=inference, metrics=ServerMetrics()), 1 << 20)
    inference.close()


def test_every_method_of_the_stubs_is_offered(services: Services) -> None:
    for name, servicer in (
        (PREDICTION_SERVICE, prediction_service_pb2_grpc.PredictionServiceServicer),
        (MODEL_SERVICE, model_service_pb2_grpc.ModelServiceServicer),
    ):
        theirs = {method for method in vars(servicer) if not method.startswith("_")}
        assert {method.name for method in services[name]} == theirs


def test_messages_are_named_as_the_methods(services: Services) -> None:
    names = {
        method.name: (method.request.DESCRIPTOR.name, method.response.DESCRIPTOR.name)
        for methods in services.values()
        for method in methods
    }
    assert names["Predict"] == ("PredictRequest", "PredictResponse")
    assert names["ModelInfer"] == ("ModelInferRequest", "ModelInferResponse")
    assert names["Classify"] == ("ClassificationRequest", "ClassificationResponse")
    assert names["HandleReloadConfigRequest"] == ("ReloadConfigRequest", "ReloadConfigResponse")


def test_metrics_count_the_methods_that_run_a_model(services: Services) -> None:
    counted = {method.name for methods in services.values() for method in methods if method.is_counted}
    assert counted == {"Predict", "Classify", "Regress", "MultiInference", "ModelInfer"}


METHOD = "ModelInfer"


def test_values_in_and_out(site: Site) -> None:
    answer = send(site, METHOD, infer_request(tensor(2.0, 3.5), id="42"))
    assert (answer.model_name, answer.model_version, answer.id) == ("half_plus_two", "123", "42")
    (output,) = answer.outputs
    assert (output.name, output.datatype, list(output.shape)) == ("y", "FP32", [2])
    assert list(output.contents.fp32_contents) == [3.0, 3.75]
    assert not answer.raw_output_contents


def test_models_versions_and_signatures_that_are_not_there(site: Site) -> None:
    for request in (infer_request(tensor(1.0), model="nobody"), infer_request(tensor(1.0), model_version="9")):
        code, text = failure(site, METHOD, request)
        assert (code, text[:30]) == (grpc.StatusCode.NOT_FOUND, "Servable not found for request")
    code, text = failure(site, METHOD, infer_request(tensor(1.0), model_version="x"))
    assert (code, "not x" in text) == (grpc.StatusCode.INVALID_ARGUMENT, True)
    parameters = {"signature_name": {"string_param": "s"}}
    code, text = failure(site, METHOD, infer_request(tensor(1.0), parameters=parameters))
    assert (code, "has no signature s, only: " in text) == (grpc.StatusCode.INVALID_ARGUMENT, True)


def parameter(microseconds: int) -> dict[str, Any]:
    return {"timeout": {"int64_param": microseconds}}


def test_the_earlier_deadline_counts_of_parameter_and_call(open_site: OpenSite) -> None:
    log = BlockedLog()
    with open_site(writer=log, batches=BatchSettings(quick_s=0)) as site:
        first = send(site, METHOD, infer_request(tensor(1.0), id="first"), is_awaited=False)
        assert log.is_blocked.wait(30)
        late = infer_request(tensor(1.0), id="late", parameters=parameter(40_000))
        code, text = failure(site, METHOD, late, timeout=30)
        assert (code, text) == (grpc.StatusCode.DEADLINE_EXCEEDED, "No answer within 40 ms: the deadline passed.")
        late = infer_request(tensor(1.0), id="later", parameters=parameter(30_000_000))
        assert failure(site, METHOD, late, timeout=0.04)[0] == grpc.StatusCode.DEADLINE_EXCEEDED
        log.unblock.set()
        assert first.result(30).id == "first"
    assert log.request_ids == ["first"]


def test_without_either_the_servers_deadline_counts(open_site: OpenSite) -> None:
    with open_site(timeout_s=0.0) as site:
        assert send(site, METHOD, infer_request(tensor(1.0), parameters=parameter(30_000_000))).outputs
        assert failure(site, METHOD, infer_request(tensor(1.0)))[0] == grpc.StatusCode.DEADLINE_EXCEEDED


def test_answers_are_logged_under_the_id_of_metadata_or_message(open_site: OpenSite) -> None:
    log = MemoryLog()
    with open_site(writer=log) as site:
        send(site, METHOD, infer_request(tensor(1.0, 2.0), id="mine"))
        send(site, METHOD, infer_request(tensor(1.0), id="mine"), metadata=(("x-request-id", "proxy"),))
        code, text = failure(site, METHOD, infer_request(tensor(1.0), id="two words"))
        failure(site, METHOD, infer_request(tensor(1.0), model="nobody", id="late"))
        page = site.website.send("GET", "/monitoring/prometheus/metrics").body.decode()
    assert (code, text.startswith('"id" must be')) == (grpc.StatusCode.INVALID_ARGUMENT, True)
    assert [list(rows.request_ids) for rows in log.appends] == [["mine", "mine"], ["proxy"]]
    assert log.appends[0].inputs["x"].tolist() == [1.0, 2.0]
    assert log.appends[0].outputs["y"].tolist() == [2.5, 3.0]
    count = ":tensorflow:serving:request_count"
    assert f'{count}{{model_name="half_plus_two",status="OK"}} 2\n' in page
    assert f'{count}{{model_name="half_plus_two",status="INVALID_ARGUMENT"}} 1\n' in page
    assert f'{count}{{model_name="",status="NOT_FOUND"}} 1\n' in page
    assert 'request_latency_count{model_name="half_plus_two",API="ModelInfer",entrypoint="GRPC"} 2\n' in page
