"""Calls whose answers are far larger than they are: what they take is bounded before it exists."""

from __future__ import annotations

import gc
import tracemalloc
from contextlib import ExitStack
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from benchmarks.hostile.models import WIDE, export_wide
from benchmarks.hostile.requests import predict, tensor
from serving.models.loading import load_version
from serving.models.version_folders import discover
from serving.models.versions import Models
from serving.transport.limits import ConnectionLimiter
from tests.serving.http2 import raw_frames as frames
from tests.serving.http2.conftest import wait_for
from tests.serving.http2.raw_frames import RawClient, call, literal, setting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.serving.grpc_api.conftest import OpenSite

PREDICT = (
    b"\x83\x86"
    + literal(b":path", b"/tensorflow.serving.PredictionService/Predict")
    + literal(b":authority", b"localhost")
    + literal(b"content-type", b"application/grpc")
    + literal(b"te", b"trailers")
)
LIMIT, CALLS = 48 << 20, 100  # an answer has 4 MB: the one that is being made is a small part of the limit


@pytest.fixture
def wide(tmp_path: Path) -> Iterator[Models]:
    export_wide(tmp_path)
    loaded = Models(lambda: discover(tmp_path, {}), load=load_version, report=lambda _: None)
    loaded.poll()
    yield loaded
    loaded.close()


def test_short_calls_with_large_answers_take_no_more_than_may_be_held(open_site: OpenSite, wide: Models) -> None:
    """Each of 600 calls has 40 bytes, stands for 360 kB, and is answered by 4 MB, which nobody takes."""
    message = predict(WIDE, "x", tensor(1, [1, 90_000], float_val=[1.0])).message
    assert len(message) < 40
    limiter = ConnectionLimiter(max_connections=0, max_held_bytes=LIMIT)
    with open_site(served=wide, limiter=limiter) as site, ExitStack() as stack:
        port = int(site.target.rpartition(":")[2])
        clients = [stack.enter_context(RawClient(port)) for _ in range(6)]
        for client in clients:
            client.send(setting(frames.INITIAL_WINDOW_SIZE, 0))
        gc.collect()
        tracemalloc.start()
        try:
            for client in clients:
                client.send(*(call(number, message, headers=PREDICT) for number in range(1, 2 * CALLS, 2)))
            for client in clients:
                begun = set[int]()
                while len(begun) < CALLS:  # refused, or with an answer that waits
                    begun |= {number for kind, _, number, _ in islice(client.frames(), 1) if kind == frames.HEADERS}
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert LIMIT / 2 < peak < 1.2 * LIMIT
    wait_for(lambda: limiter.free_bytes == LIMIT)
