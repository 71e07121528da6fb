"""TensorFlow Serving's monitoring and TLS files are read as there, as far as this server has the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitoring.errors import BadInput
from serving.server.tf_serving_files import read_grpc_tls, read_monitoring_file

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('prometheus_config { enable: true path: "/metrics" }', "/metrics"),
        ("prometheus_config: { enable: true }", "/monitoring/prometheus/metrics"),
        ('prometheus_config { path: "/metrics" }', None),
        ("", None),
    ],
)
def test_a_monitoring_file_says_where_the_page_is(file: Path, text: str, path: str | None) -> None:
    file.write_text(text)
    assert read_monitoring_file(file) == path


def test_invalid_files_are_refused_with_the_reason(file: Path) -> None:
    file.write_text('prometheus_config { enable: true path: "metrics" }')
    with pytest.raises(BadInput, match="expected a path that begins with /"):
        read_monitoring_file(file)
    file.write_text('server_key: "k" client_verify: true')
    with pytest.raises(BadInput, match="no server_cert, no custom_ca, which client_verify needs"):
        read_grpc_tls(file)
