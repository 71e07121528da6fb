"""What gRPC clients may take together, and who may be a client at all."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tensorflow_serving.apis import prediction_service_pb2_grpc

from serving.grpc_api.server import GrpcSettings
from serving.inference.batching import BatchSettings
from serving.server.tf_serving_files import read_ssl_file
from serving.transport.limits import ConnectionLimiter
from tests.serving.grpc_api.conftest import StuckLedger, predict_request

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving.grpc_api.conftest import OpenSite, Site

REQUEST = predict_request("half_plus_two", {"x": np.array([1.0], np.float32)})
FULL = grpc.StatusCode.RESOURCE_EXHAUSTED


def code_of(site: Site) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as caught:
        site.predictions.Predict(REQUEST)
    code: grpc.StatusCode = caught.value.code()
    return code


def test_the_bytes_of_all_calls_are_bounded_together(open_site: OpenSite) -> None:
    ledger, limiter = StuckLedger(), ConnectionLimiter(max_connections=0, max_held_bytes=2 * REQUEST.ByteSize() - 1)
    with open_site(writer=ledger, batches=BatchSettings(quick_s=0), limiter=limiter) as site:
        first = site.predictions.Predict.future(REQUEST)
        assert ledger.is_stuck.wait(30)
        assert code_of(site) is FULL
        ledger.go_on.set()
        assert first.result(30).model_spec.version.value == 123
        site.predictions.Predict(REQUEST)  # what was held was let go
    assert len(ledger.request_ids) == 2


def test_the_number_of_calls_is_bounded(open_site: OpenSite) -> None:
    ledger = StuckLedger()
    with open_site(writer=ledger, batches=BatchSettings(quick_s=0), settings=GrpcSettings(calls=1)) as site:
        first = site.predictions.Predict.future(REQUEST)
        assert ledger.is_stuck.wait(30)
        assert code_of(site) is FULL
        ledger.go_on.set()
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Somebody with a key and a certificate, in PEM."""

    key: bytes
    certificate: bytes


class Authority:
    """Signs certificates."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._sign(self._name, self._key, is_authority=True)

    def party(self, name: str) -> Party:
        key = ec.generate_private_key(ec.SECP256R1())
        return Party(
            key=key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
            certificate=self._sign(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key, is_authority=False),
        )

    def _sign(self, name: x509.Name, key: ec.EllipticCurvePrivateKey, *, is_authority: bool) -> bytes:
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        )
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


OURS, OTHERS = Authority("ours"), Authority("others")


def ssl_file(folder: Path, *, client_verify: bool) -> Path:
    """An SSLConfig in the text format: JSON's strings are strings of that, too."""
    server = OURS.party("localhost")
    texts = {"server_key": server.key, "server_cert": server.certificate, "custom_ca": OURS.certificate}
    lines = [f"{name}: {json.dumps(pem.decode())}" for name, pem in texts.items()]
    file = folder / "ssl.config"
    file.write_text("\n".join([*lines, f"client_verify: {str(client_verify).lower()}"]))
    return file


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
