"""Both dialects of one server in this process, and the clients that users of TensorFlow Serving have."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import grpc
import pytest
import uvloop
from tensorflow import make_tensor_proto
from tensorflow_serving.apis import model_service_pb2_grpc, predict_pb2, prediction_service_pb2_grpc

from serving.access.guard import Guard
from serving.access.reload_policy import ReloadPolicy
from serving.capture.capture import Capture
from serving.grpc_api.methods import GrpcDependencies
from serving.grpc_api.server import GrpcServer
from serving.inference.inference import Inference
from serving.inference_v2.model_control import ModelControl
from serving.server.http_app import HttpApp, HttpDependencies
from serving.server.shutdown import DrainingServer
from serving.transport.sockets import Address, bind_address, target_of, url_of
from tests.serving.conftest import Website

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from serving.capture.log_sink import RowWriter
    from serving.grpc_api.server import GrpcSettings
    from serving.models.batch_settings import BatchSettings
    from serving.models.versions import Models
    from serving.transport.limits import ConnectionLimiter


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A server, its two addresses, and gRPC stubs for it."""

    website: Website
    target: str
    channel: grpc.Channel
    server: DrainingServer
    inference: Inference

    @property
    def predictions(self) -> Any:
        return prediction_service_pb2_grpc.PredictionServiceStub(self.channel)

    @property
    def model_service(self) -> Any:
        return model_service_pb2_grpc.ModelServiceStub(self.channel)


class OpenSite(Protocol):
    """``with open_site(writer=...) as site:`` runs a server around the models while the block runs."""

    def __call__(
        self,
        *,
        writer: RowWriter | None = None,
        batches: BatchSettings | None = None,
        timeout_s: float | None = 30.0,
        settings: GrpcSettings | None = None,
        limiter: ConnectionLimiter | None = None,
        served: Models | None = None,
        socket_path: Path | None = None,
        control: ModelControl | None = None,
    ) -> AbstractContextManager[Site]: ...


@pytest.fixture(scope="session")
def open_site(models: Models) -> OpenSite:
    @contextmanager
    def opened(
        *,
        writer: RowWriter | None = None,
        batches: BatchSettings | None = None,
        timeout_s: float | None = 30.0,
        settings: GrpcSettings | None = None,
        limiter: ConnectionLimiter | None = None,
        served: Models | None = None,
        socket_path: Path | None = None,
        control: ModelControl | None = None,
    ) -> Iterator[Site]:
        capture = Capture(writer)
        inference = Inference(capture=capture, batches=batches, timeout_s=timeout_s, limiter=limiter)
        dependencies = HttpDependencies(models=served or models, inference=inference, capture=capture)
        started = threading.Event()
        with bind_address(Address(port=0)) as http_socket, bind_address(Address(port=0)) as grpc_socket:
            target = target_of(grpc_socket)
            grpc_dependencies = GrpcDependencies(
                models=dependencies.models,
                inference=inference,
                metrics=dependencies.metrics,
                control=control or ModelControl(),
                reload_policy=None if control is None else ReloadPolicy(model_roots=()),
                guard=Guard() if control is None else control.guard,
            )
            unix = None if socket_path is None else socket.socket(socket.AF_UNIX)
            if unix is not None:
                unix.bind(str(socket_path))
            grpc_server = GrpcServer(grpc_socket, grpc_dependencies, settings, unix=unix)
            server = DrainingServer(HttpApp(dependencies), 5.0, started.set)
            running = threading.Thread(target=lambda: uvloop.run(server.serve_both(http_socket, grpc_server)))
            running.start()
            assert started.wait(30)
            try:
                with grpc.insecure_channel(target) as channel:
                    website = Website(url=url_of(http_socket))
                    yield Site(website=website, target=target, channel=channel, server=server, inference=inference)
            finally:
                server.should_exit = True
                running.join()
                inference.close()

    return opened


@pytest.fixture(scope="session")
def site(open_site: OpenSite) -> Iterator[Site]:
    """A server with nothing special about it."""
    with open_site() as opened:
        yield opened


def predict_request(model: str, inputs: Mapping[str, Any], *, signature: str = "") -> Any:
    """As the guides of TensorFlow Serving build one; values that are no messages go through ``make_tensor_proto``."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        message = value if hasattr(value, "tensor_shape") else make_tensor_proto(value)
        request.inputs[name].CopyFrom(message)
    return request
