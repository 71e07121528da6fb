"""Who makes a gRPC call, with and without a certificate, as it reaches the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import numpy as np
import pytest
from tensorflow_serving.apis import prediction_service_pb2_grpc

from serving.grpc_api.peer_identity import address_of
from tests.serving.certificates import OURS, ssl_file
from tests.serving.grpc_api.conftest import predict_request, tls_settings
from tests.serving.memory_log import MemoryLog

if TYPE_CHECKING:
    from pathlib import Path

    from serving.grpc_api.server import Engine
    from tests.serving.grpc_api.conftest import OpenSite

REQUEST = predict_request("half_plus_two", {"x": np.array([1.0, 2.0], np.float32)})


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:10.0.0.7:4711", "10.0.0.7"),
        ("ipv6:%5B::1%5D:4711", "::1"),
        ("ipv6:[fe80::1%25eth0]:4711", "fe80::1%eth0"),
        ("ipv6:%5B::ffff:10.0.0.7%5D:4711", "10.0.0.7"),
        ("unix:/run/socket", ""),
        ("", ""),
    ],
)
def test_the_address_is_without_its_port(peer: str, address: str) -> None:
    assert address_of(peer) == address


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


@pytest.mark.parametrize("engine", ["library", "loop"])
def test_a_certificate_names_the_caller(open_site: OpenSite, tmp_path: Path, engine: Engine) -> None:
    log = MemoryLog()
    settings = tls_settings(ssl_file(tmp_path, client_verify=True), engine)
    client = OURS.party("shop")
    credentials = grpc.ssl_channel_credentials(OURS.certificate, client.key, client.certificate)
    options = [("grpc.ssl_target_name_override", "localhost")]
    with (
        open_site(writer=log, settings=settings) as site,
        grpc.secure_channel(site.target, credentials, options) as channel,
    ):
        prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(REQUEST)
    assert list(log.appends[0].principals) == ["shop", "shop"]
