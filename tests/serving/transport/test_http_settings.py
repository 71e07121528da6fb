"""The HTTP interface's defaults."""

from __future__ import annotations

from serving.transport.http_settings import METRICS_PATH, HttpSettings
from serving.transport.limits import ConnectionTimeouts


def test_the_defaults_are_those_of_the_reference() -> None:
    settings = HttpSettings()
    assert (settings.body_bytes, settings.held_bytes, settings.connections) == (64 << 20, 256 << 20, None)
    assert settings.timeouts == ConnectionTimeouts(idle_s=75.0, request_s=30.0, bytes_per_s=4096.0)
    assert not settings.cors


def test_the_metrics_are_where_tensorflow_serving_has_them() -> None:
    assert HttpSettings().metrics_path == METRICS_PATH == "/monitoring/prometheus/metrics"
