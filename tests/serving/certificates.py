"""Keys and certificates of two authorities, and a server's SSLConfig."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path


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
