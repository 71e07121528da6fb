"""TLS: who is encrypted, and who may be a client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import numpy as np
import pytest
from tensorflow_serving.apis import prediction_service_pb2_grpc

from serving.grpc_api.server import GrpcSettings
from serving.server.tf_serving_files import read_ssl_file
from tests.serving.certificates import OTHERS, OURS, Authority, Party, ssl_file
from tests.serving.grpc_api.conftest import predict_request

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving.grpc_api.conftest import OpenSite, Site


REQUEST = predict_request("half_plus_two", {"x": np.array([1.0], np.float32)})


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
    settings = GrpcSettings(credentials=read_ssl_file(ssl_file(tmp_path, client_verify=client_verify)))
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
