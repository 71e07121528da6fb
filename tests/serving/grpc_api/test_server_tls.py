"""TLS: who is encrypted, and who may be a client."""

from __future__ import annotations

import socket
import ssl
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import grpc
import numpy as np
import pytest
from tensorflow_serving.apis import prediction_service_pb2_grpc

from monitoring.errors import BadInput
from serving.grpc_api.server import GrpcSettings
from serving.http2.connection_settings import ConnectionSettings
from serving.server.tf_serving_files import read_grpc_tls
from tests.serving.certificates import OTHERS, OURS, Authority, Party, ssl_file
from tests.serving.grpc_api.conftest import predict_request

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving.grpc_api.conftest import OpenSite, Site


REQUEST = predict_request("half_plus_two", {"x": np.array([1.0], np.float32)})


def tls_settings(folder: Path, *, client_verify: bool = False) -> GrpcSettings:
    return GrpcSettings(tls=read_grpc_tls(ssl_file(folder, client_verify=client_verify)))


def code_of(site: Site) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as caught:
        site.predictions.Predict(REQUEST)
    code: grpc.StatusCode = caught.value.code()
    return code


@pytest.mark.parametrize(
    ("client_verify", "trusts", "shows", "is_answered"),
    [
        (False, OURS, None, True),
        (False, OTHERS, None, False),
        (True, OURS, None, False),
        (True, OURS, OTHERS.party("client"), False),
        (True, OURS, OURS.party("client"), True),
    ],
    ids=["encrypted", "another's server", "no certificate", "wrong certificate", "right certificate"],
)
def test_ssl_config_file(
    open_site: OpenSite,
    tmp_path: Path,
    *,
    client_verify: bool,
    trusts: Authority,
    shows: Party | None,
    is_answered: bool,
) -> None:
    settings = tls_settings(tmp_path, client_verify=client_verify)
    credentials = grpc.ssl_channel_credentials(
        trusts.certificate, None if shows is None else shows.key, None if shows is None else shows.certificate
    )
    with open_site(settings=settings) as site:
        assert code_of(site) is grpc.StatusCode.UNAVAILABLE, "nobody is answered in plain text"
        options = [("grpc.ssl_target_name_override", "localhost")]
        with grpc.secure_channel(site.target, credentials, options) as channel:
            predict = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict
            if is_answered:
                assert predict(REQUEST).outputs["y"].float_val == [2.5]
                return
            with pytest.raises(grpc.RpcError) as caught:
                predict(REQUEST)
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def bytes_until_the_end(site: Site, context: ssl.SSLContext | None) -> bytes:
    """What a client gets that says nothing after the handshake, or not even that."""
    host, _, port = site.target.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as plain:
        if context is None:
            return plain.recv(64)
        with context.wrap_socket(plain, server_hostname="localhost") as encrypted:
            return encrypted.recv(64)


@pytest.mark.parametrize("protocols", [[], ["http/1.1"], ["h2"]], ids=["none", "HTTP/1.1", "HTTP/2"])
def test_only_clients_that_ask_for_http2_are_served(open_site: OpenSite, tmp_path: Path, protocols: list[str]) -> None:
    context = ssl.create_default_context(cadata=OURS.certificate.decode())
    if protocols:
        context.set_alpn_protocols(protocols)
    with open_site(settings=tls_settings(tmp_path)) as site:
        try:
            served = bytes_until_the_end(site, context) != b""
        except (ConnectionError, ssl.SSLError):
            served = False
    assert served is (protocols == ["h2"])


def test_a_handshake_that_does_not_come_ends_the_connection(open_site: OpenSite, tmp_path: Path) -> None:
    settings = replace(tls_settings(tmp_path), connection=ConnectionSettings(stall_s=0.2))
    with open_site(settings=settings) as site:
        began = time.monotonic()
        assert bytes_until_the_end(site, None) == b""
        assert time.monotonic() - began < 5.0


def test_a_key_that_does_not_fit_is_one_error(tmp_path: Path) -> None:
    file = ssl_file(tmp_path, client_verify=False)
    file.write_text(file.read_text().replace("BEGIN PRIVATE", "BEGIN OTHER"))
    with pytest.raises(BadInput, match="cannot be used for gRPC"):
        read_grpc_tls(file)
