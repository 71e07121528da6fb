from __future__ import annotations

import pytest

from benchmarks.load_generator import requests_of
from benchmarks.serving_speed import generated, started


@pytest.mark.slow
def test_a_closed_loop_counts_every_response_of_the_bare_app() -> None:
    with started(("-m", "benchmarks.bare_app")) as server:
        load = generated(server.port, b'{"instances":[{"x":1}]}\n{"instances":[{"x":2}]}', 4, 0.3)
        assert server.cpu_seconds() >= 0.0
    assert load.connections == 4
    assert load.failures == 0
    assert 0 < load.responses < load.with_warm_up
    assert 0.0 < load.p50_ms <= load.p99_ms


@pytest.mark.slow
def test_a_response_other_than_200_is_a_failure() -> None:
    with started(("-m", "benchmarks.bare_app")) as server:
        load = generated(server.port, b'{"rows":[]}', 1, 0.1)
    assert load.failures > 0


def test_a_request_has_its_head_length_and_body() -> None:
    [request] = requests_of("/v1/models/flights:predict", [b"{}"])
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/models/flights:predict HTTP/1.1\r\n")
    assert b"Content-Length: 2" in head
    assert body == b"{}"
