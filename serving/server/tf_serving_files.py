"""TensorFlow Serving's monitoring and TLS files, read into this server's settings."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path
from typing import Any

from monitoring.errors import BadInput
from serving.http2.connection_settings import ALPN
from serving.tf_serving.messages import monitoring_config, ssl_config
from serving.tf_serving.text_format import read_text_file
from serving.transport.http_settings import METRICS_PATH


def read_monitoring_file(path: Path) -> str | None:
    """Read a ``MonitoringConfig``. Returns the path of the Prometheus page; None for no page."""
    config = read_text_file(path, monitoring_config(), flag="--monitoring_config_file").prometheus_config
    if not config.enable:
        return None
    if config.path and not config.path.startswith("/"):
        raise BadInput(
            f"{path} cannot be used.",
            got=f"prometheus_config.path {config.path!r}",
            expected="a path that begins with /",
            fix=f'For example path: "{METRICS_PATH}".',
        )
    return config.path or METRICS_PATH


def _read_ssl_config(path: Path) -> Any:
    config = read_text_file(path, ssl_config(), flag="--ssl_config_file")
    missing = [name for name in ("server_key", "server_cert") if not getattr(config, name).strip()]
    if config.client_verify and not config.custom_ca.strip():
        missing.append("custom_ca, which client_verify needs")
    if missing:
        raise BadInput(
            f"{path} cannot be used.",
            got=f"no {', no '.join(missing)}",
            expected="key and certificate in PEM",
            fix='Write them into the file: server_key: "-----BEGIN ...", with \\n at the end of each line.',
        )
    return config


def read_grpc_tls(path: Path) -> ssl.SSLContext:
    """Read an ``SSLConfig`` for gRPC in the event loop: TLS 1.2 or newer, and HTTP/2 offered to clients (ALPN)."""
    context = _tls_context(path, _read_ssl_config(path), "gRPC")
    context.set_alpn_protocols([ALPN])
    return context


def read_rest_tls(path: Path) -> ssl.SSLContext:
    """Read an ``SSLConfig`` for REST: TLS 1.2 or newer, client certificates as for gRPC."""
    return _tls_context(path, read_text_file(path, ssl_config(), flag="--ssl_config_file"), "REST")


def _tls_context(path: Path, config: Any, interface: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        with tempfile.NamedTemporaryFile() as file:  # readable by this user alone; the library reads only files
            file.write(f"{config.server_key}\n{config.server_cert}".encode())
            file.flush()
            context.load_cert_chain(file.name)
        if config.client_verify:
            context.load_verify_locations(cadata=config.custom_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ValueError) as error:
        raise BadInput(
            f"{path} cannot be used for {interface}.",
            got=f"{type(error).__name__}",
            expected="server_key and server_cert in PEM that fit together",
            fix="Check the file; openssl x509 -in CERT -noout -text shows a certificate.",
        ) from error
    return context


def verifies_grpc_clients(path: Path) -> bool:
    """Whether an ``SSLConfig`` asks clients for a certificate."""
    return bool(read_text_file(path, ssl_config(), flag="--ssl_config_file").client_verify)
