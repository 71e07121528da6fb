"""Nearly right requests through the real parsing and inference: never a crash, a hang, or an error that is ours.

A few thousand always; `test_a_million` with the slow tests.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections import Counter
from contextlib import suppress
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import pytest

from serving.capture.capture import Caller, Capture
from serving.grpc_api.call import GrpcCall
from serving.grpc_api.call_handler import reader_of
from serving.grpc_api.methods import GrpcDependencies, make_services
from serving.inference.inference import Inference
from serving.inference.timestamps import wall_clock_us
from serving.metrics.metrics import ServerMetrics
from serving.server.http_app import HttpApp, HttpDependencies
from serving.status import Code, Failure
from tests.fuzzing.budget import seeds
from tests.serving.fuzzing.inputs import HttpInputs, wire
from tests.serving.fuzzing.messages import Messages
from tests.serving.fuzzing.mutations import damage_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from monitoring.traffic.format.rows import AnsweredRows
    from serving.models.versions import Models
    from serving.transport.http_request import HttpRequest
    from serving.transport.http_response import HttpResponse
    from tests.serving.conftest import OpenWebsite, Website

Something = TypeVar("Something")

AT_ONCE = 64
PATIENCE_S = 60.0
EXPECTED = {200, 400, 401, 403, 404, 405, 501}


class CountingLedger:
    """Takes rows as the traffic log would, and counts them."""

    def __init__(self) -> None:
        self.rows = 0

    def append(self, rows: AnsweredRows) -> None:
        self.rows += rows.count


def in_groups(many: Iterable[Something]) -> Iterator[list[Something]]:
    left = iter(many)
    while some := list(islice(left, AT_ONCE)):
        yield some


def check(request: HttpRequest, response: HttpResponse) -> None:
    assert response.status in EXPECTED, (request, response)
    assert b"Traceback" not in response.body, (request, response)
    if response.status == 200 and response.content_type == b"application/octet-stream":
        size = int(dict(response.headers)[b"inference-header-content-length"])
        document = json.loads(response.body[:size])
        sizes = [one.get("parameters", {}).get("binary_data_size", 0) for one in document["outputs"]]
        assert size + sum(sizes) == len(response.body), (request, response)
    elif response.content_type == b"application/json" and response.body:
        document = json.loads(response.body)
        assert response.status == 200 or isinstance(document["error"], str), (request, response)


async def send(app: HttpApp, requests: Iterable[HttpRequest]) -> Counter[int]:
    """Send them, many at once; every one is answered."""
    statuses: Counter[int] = Counter()
    loop = asyncio.get_running_loop()
    for some in in_groups(requests):
        waiting = []
        for request in some:
            waiting.append(loop.create_future())
            app.answer(request, waiting[-1].set_result)
        async with asyncio.timeout(PATIENCE_S):
            for request, response in zip(some, await asyncio.gather(*waiting), strict=True):
                check(request, response)
                statuses[response.status] += 1
    return statuses


async def call(dependencies: GrpcDependencies, messages: Iterable[tuple[str, bytes]]) -> Counter[str]:
    """Send messages, many at once; every one is answered or fails in words."""
    methods = {method.name: method for service in make_services(dependencies, 64 << 20).values() for method in service}

    async def one(name: str, body: bytes) -> str:
        try:
            request = reader_of(methods[name].request)(body)
        except Failure:
            return "no message"
        code = Code.OK
        done = asyncio.get_running_loop().create_future()
        try:
            methods[name].start(request, GrpcCall(Caller("r", 0, wall_clock_us()), None), done.set_result)
            outcome = await done
            if isinstance(outcome, BaseException):
                raise outcome
        except Failure as failure:
            code = failure.code
        assert code not in {Code.INTERNAL, Code.UNKNOWN}, (name, body)
        return code.name

    ends: Counter[str] = Counter()
    for some in in_groups(messages):
        async with asyncio.timeout(PATIENCE_S):
            ends.update(await asyncio.gather(*(one(name, body) for name, body in some)))
    return ends


def seeded(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - the same inputs again, no secrets


def fuzz(models: Models, seed: int, http: int, grpc: int) -> tuple[Counter[int], Counter[str]]:
    ledger = CountingLedger()
    capture = Capture(ledger)
    inference = Inference(capture=capture)
    app = HttpApp(HttpDependencies(models=models, inference=inference, capture=capture))
    dependencies = GrpcDependencies(models=models, inference=inference, metrics=ServerMetrics())

    async def everything() -> tuple[Counter[int], Counter[str]]:
        return (
            await send(app, islice(HttpInputs(seeded(seed)), http)),
            await call(dependencies, islice(Messages(seeded(seed)), grpc)),
        )

    try:
        statuses, ends = asyncio.run(everything())
    finally:
        inference.close()
    assert ledger.rows > 0
    assert capture.counts().rows_lost == 0
    assert (sum(statuses.values()), sum(ends.values())) == (http, grpc)
    return statuses, ends


def fuzz_socket(website: Website, seed: int, count: int) -> None:
    """Damaged requests over connections of their own; the server answers them or hangs up, and goes on."""
    random = seeded(seed)
    place = ("127.0.0.1", urlsplit(website.url).port or 0)
    for number, request in enumerate(islice(HttpInputs(random), count)):
        sent = wire(request)
        with socket.create_connection(place, timeout=30) as connection:
            connection.sendall(damage_bytes(random, sent) if random.random() < 0.7 else sent)
            with suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
                received = b""
                while data := connection.recv(1 << 16):
                    received += data
                assert b" 500 " not in received[:20], (request, received)
                assert b"Traceback" not in received, (request, received)
        if number % 100 == 0:
            assert website.predict("half_plus_two", {"instances": [2.0]}).status == 200


def test_a_few_thousand(models: Models, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        statuses, ends = fuzz(models, 1, 3000, 1500)
    assert caplog.records == []
    assert statuses[200] > 100
    assert statuses[400] > 1000
    assert ends["OK"] > 50
    assert ends["INVALID_ARGUMENT"] > 500


def test_a_few_hundred_over_a_socket(website: Website) -> None:
    fuzz_socket(website, 1, 300)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("http", "grpc"), [(2000, 100), (100, 1000)])
def test_for_some_time(models: Models, caplog: pytest.LogCaptureFixture, http: int, grpc: int) -> None:
    with caplog.at_level(logging.ERROR):
        for seed in seeds():
            fuzz(models, seed, http, grpc)
    assert caplog.records == []


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_a_million(models: Models, open_website: OpenWebsite, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        for seed in range(100, 140):
            fuzz(models, seed, 16_000, 8_500)
        with open_website() as website:
            fuzz_socket(website, 100, 20_000)
    assert caplog.records == []
