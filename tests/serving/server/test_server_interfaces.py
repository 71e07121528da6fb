"""The interfaces of a server by TensorFlow Serving's own flags, and a list of models that a client sends."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc
import numpy as np
import pytest
from google.protobuf import text_format
from tensorflow_serving.apis import model_management_pb2, model_service_pb2_grpc, prediction_service_pb2_grpc

from monitoring.traffic.log.log import TrafficLog
from tests.serving.certificates import OURS, ssl_file
from tests.serving.conftest import Website
from tests.serving.grpc_api.conftest import predict_request
from tests.serving.nursery import nursery

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.serving.nursery import Child, Nursery

REQUEST = predict_request("m", {"x": np.array([1.0], np.float32)})

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    with nursery(tmp_path_factory.mktemp("nursery")) as one:
        yield one


@pytest.fixture
def model(models_folder: Path, tmp_path: Path) -> Path:
    shutil.copytree(models_folder / "half_plus_two" / "00000123", tmp_path / "m" / "1")
    return tmp_path / "m"


@contextmanager
def started(made: Nursery, model: Path, *flags: str) -> Iterator[Child]:
    server = made.start("--model_name=m", f"--model_base_path={model}", *flags)
    try:
        yield server
    finally:
        os.kill(server.pid, signal.SIGTERM)
        server.wait()


def answer(channel: grpc.Channel, request: Any = REQUEST) -> Any:
    return prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request, wait_for_ready=False, timeout=60)


def test_rest_port_0_serves_grpc_alone(made: Nursery, model: Path) -> None:
    with started(made, model, "--rest_api_port=0", "--grpc-port=0") as server:
        assert server.url is None
        with grpc.insecure_channel(server.grpc) as channel:
            assert answer(channel).outputs["y"].float_val == [2.5]


def test_grpc_port_0_serves_rest_alone(made: Nursery, model: Path) -> None:
    with started(made, model, "--port=0", "--rest-port=0") as server:
        assert server.grpc is None
        assert server.url is not None
        assert Website(url=server.url).predict("m", {"instances": [1.0]}).json == {"predictions": [2.5]}


def test_ssl_config_file_encrypts_grpc_and_leaves_rest_plain(made: Nursery, model: Path, tmp_path: Path) -> None:
    flag = f"--ssl_config_file={ssl_file(tmp_path, client_verify=True)}"
    client = OURS.party("client")
    options = [("grpc.ssl_target_name_override", "localhost")]
    with started(made, model, flag, "--grpc-port=0", "--rest-port=0") as server:
        shown = grpc.ssl_channel_credentials(OURS.certificate, client.key, client.certificate)
        with grpc.secure_channel(server.grpc, shown, options) as channel:
            assert answer(channel).outputs["y"].float_val == [2.5]
        with (
            grpc.secure_channel(server.grpc, grpc.ssl_channel_credentials(OURS.certificate), options) as channel,
            pytest.raises(grpc.RpcError) as caught,
        ):
            answer(channel)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert server.url is not None
        assert Website(url=server.url).predict("m", {"instances": [1.0]}).status == 200


def test_rest_tls_encrypts_rest_and_asks_clients_for_a_certificate(made: Nursery, model: Path, tmp_path: Path) -> None:
    flags = (f"--ssl_config_file={ssl_file(tmp_path, client_verify=True)}", "--rest-tls")
    client = OURS.party("client")
    (tmp_path / "client.pem").write_bytes(client.key + client.certificate)
    log = tmp_path / "traffic"
    with started(made, model, *flags, "--grpc-port=0", "--rest-port=0", f"--traffic={log}") as server:
        assert server.url is not None
        assert server.url.startswith("https://")
        anonymous = ssl.create_default_context(cadata=OURS.certificate.decode())
        shown = ssl.create_default_context(cadata=OURS.certificate.decode())
        shown.load_cert_chain(tmp_path / "client.pem")

        body = b'{"instances": [1.0]}'
        head = b"POST /v1/models/m:predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body)

        def status(context: ssl.SSLContext) -> int:
            with (
                socket.create_connection(("127.0.0.1", server.port), timeout=30) as plain,
                context.wrap_socket(plain, server_hostname="localhost") as encrypted,
            ):
                encrypted.sendall(head + body)
                return int(encrypted.recv(4096).split()[1])

        assert status(shown) == 200
        with pytest.raises(ssl.SSLError):
            status(anonymous)
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as plain:
            plain.sendall(b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert plain.recv(4096) == b"", "nobody is answered in plain text"
    (row,) = TrafficLog(log).read(model="m", columns=["caller_principal", "caller_peer"]).to_pylist()
    assert row == {"caller_principal": "client", "caller_peer": "127.0.0.1"}


def reload_of(*entries: str) -> Any:
    text = "".join(f'config {{ model_platform: "tensorflow" {entry} }}' for entry in entries)
    return text_format.Parse(f"config {{ model_config_list {{ {text} }} }}", model_management_pb2.ReloadConfigRequest())


def test_a_list_sent_by_a_client_replaces_the_models(made: Nursery, model: Path, tmp_path: Path) -> None:
    file, token = tmp_path / "token", "a-token-of-the-test"
    file.write_text(f"{token} reload deploy\n{token}-2 labels store\n")
    file.chmod(0o600)
    access = ("--allow-reload", f"--model-root={model}", f"--token-file={file}")
    with (
        started(made, model, "--grpc-port=0", "--rest_api_port=0", *access) as server,
        grpc.insecure_channel(server.grpc) as channel,
    ):
        call = model_service_pb2_grpc.ModelServiceStub(channel).HandleReloadConfigRequest

        def reload(request: Any, bearer: str = token) -> Any:
            return call(request, metadata=[("authorization", f"Bearer {bearer}")])

        for bearer, code in ((f"{token}-2", "PERMISSION_DENIED"), ("guessed", "UNAUTHENTICATED")):
            with pytest.raises(grpc.RpcError) as caught:
                reload(reload_of(), bearer)
            assert caught.value.code() is grpc.StatusCode[code]
        with pytest.raises(grpc.RpcError) as caught:
            reload(reload_of(f'name: "n" base_path: "{model.parent}"'))
        assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
        status = reload(reload_of(f'name: "n" base_path: "{model}" version_labels {{ key: "a" value: 1 }}')).status
        assert (status.error_code, status.error_message) == (0, "")
        other = predict_request("n", {"x": np.array([1.0], np.float32)})
        other.model_spec.version_label = "a"
        assert answer(channel, other).model_spec.version.value == 1
        for request, code, text in (
            (REQUEST, "NOT_FOUND", "Servable not found for request: Latest(m)"),
            (reload_of('name: "n" base_path: "relative"'), "INVALID_ARGUMENT", "relative"),
            (reload_of(f'name: "n" base_path: "{model}"', f'name: "n" base_path: "{model}"'), "INVALID_ARGUMENT", "n"),
            (reload_of(f'name: "z" base_path: "{model}/none"'), "UNKNOWN", "1 model(s) did not become available: {"),
        ):
            with pytest.raises(grpc.RpcError) as caught:
                answer(channel, request) if request is REQUEST else reload(request)
            assert (caught.value.code(), text in caught.value.details()) == (grpc.StatusCode[code], True)
