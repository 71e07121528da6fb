"""TensorFlow Serving's monitoring, batching and TLS files are read as there, as far as this server has the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitoring.errors import BadInput
from serving.inference.batching import BatchSettings
from serving.server.tf_serving_files import BatchingFile, read_batching_file, read_monitoring_file, read_ssl_file

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


def test_batching_parameters_are_used_or_named(file: Path) -> None:
    file.write_text("""
        max_batch_size { value: 128 }
        batch_timeout_micros { value: 0 }
        max_enqueued_batches { value: 3 }
        num_batch_threads { value: 4 }
        allowed_batch_sizes: 64
        allowed_batch_sizes: 128
        pad_variable_length_inputs: true
    """)
    assert read_batching_file(file) == BatchingFile(
        settings=BatchSettings(max_rows=128, refuse_larger=True, max_waiting=384),
        ignored=("batch_timeout_micros", "num_batch_threads", "allowed_batch_sizes", "pad_variable_length_inputs"),
    )
    file.write_text("enable_large_batch_splitting { value: true }")
    assert read_batching_file(file) == BatchingFile(
        settings=BatchSettings(max_rows=1000, refuse_larger=False, max_waiting=10_000), ignored=()
    )


def test_invalid_files_are_refused_with_the_reason(file: Path) -> None:
    file.write_text('prometheus_config { enable: true path: "metrics" }')
    with pytest.raises(BadInput, match="expected a path that begins with /"):
        read_monitoring_file(file)
    file.write_text("max_batch_size { value: 0 }")
    with pytest.raises(BadInput, match="max_batch_size 0"):
        read_batching_file(file)
    file.write_text("max_batch_size: 32")
    with pytest.raises(BadInput, match=r"line:column 1:\d+ : 'max_batch_size: 32': Expected"):
        read_batching_file(file)
    file.write_text('server_key: "k" client_verify: true')
    with pytest.raises(BadInput, match="no server_cert, no custom_ca, which client_verify needs"):
        read_ssl_file(file)
