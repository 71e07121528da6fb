"""Server reflection lists and describes the services, and its streams end with the server."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING, Any

from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

if TYPE_CHECKING:
    from tests.serving.grpc_api.conftest import OpenSite

if TYPE_CHECKING:
    from tests.serving.grpc_api.conftest import OpenSite, Site


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
