"""Bodies of more than 1 MiB are read by another process, and answered as the same documents without spaces."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from serving.transport.body_process import LARGE_BYTES
from tests.serving.server_process import serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.serving.server_process import ServerProcess

CASES = Path(__file__).parents[1] / "cases" / "rest_cases.jsonl"
SPACES = b" " * LARGE_BYTES


@pytest.fixture(scope="module")
def server(models_folder: Path) -> Iterator[ServerProcess]:
    with serving(models_folder) as process:
        yield process


def post(
    server: ServerProcess, path: str, body: bytes, headers: Mapping[str, str] | None = None
) -> tuple[int, bytes, str | None]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request("POST", path, body, {"X-Request-Id": "ours", **(headers or {})})
        response = connection.getresponse()
        return response.status, response.read(), response.getheader("X-Request-Id")
    finally:
        connection.close()


def child_of(process: int) -> int:
    """The process that it has forked last."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text("ascii").split()
    return int(children[-1])


def test_answers_and_errors_are_those_of_small_bodies(server: ServerProcess) -> None:
    cases = [json.loads(line) for line in CASES.read_text().splitlines()]
    posted = [case for case in cases if case["method"] == "POST" and ":" in case["path"]]
    assert len(posted) > 25
    for case in posted:
        body = case["body"].encode()
        wanted, large = post(server, case["path"], body), post(server, case["path"], body + SPACES)
        if b"JSON Parse error" in wanted[1]:  # whose place may be at the end
            assert (large[0], large[1][:40]) == (wanted[0], wanted[1][:40]), case["name"]
        else:
            assert large == wanted, case["name"]


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/v1/models/half_plus_two:predict", {"instances": [[[1.0], [2.0]]] * 4}),
        ("/v1/models/strs:predict", {"instances": [{"image_bytes": {"b64": "YQ=="}}, {"image_bytes": {"b64": ""}}]}),
        ("/v1/models/half_plus_two:regress", {"signature_name": "regress_x_to_y", "examples": [{"x": 2.0}, {}]}),
        ("/v1/models/half_plus_two:regress", {"signature_name": "regress_x_to_y", "examples": [{"x": 2.0}] * 3}),
        ("/v1/models/half_plus_two:regress", {"signature_name": "none", "examples": [{"x": 2.0}]}),
        ("/v1/models/half_plus_two:classify", {"examples": [{"x": 2.0}]}),
        (
            "/v2/models/half_plus_two/infer",
            {"id": "ours", "inputs": [{"name": "x", "datatype": "FP32", "shape": [3], "data": [1, 2.5, 1e300]}]},
        ),
        ("/v2/models/half_plus_two/infer", {"inputs": [{"name": "y", "datatype": "FP32", "shape": [1], "data": [1]}]}),
        ("/v2/models/half_plus_two/infer", {"inputs": [{"name": "x", "datatype": "FP32", "shape": [2], "data": [1]}]}),
        ("/v2/models/none/infer", {"inputs": []}),
    ],
)
def test_other_dialects_and_forms_too(server: ServerProcess, path: str, document: object) -> None:
    body = json.dumps(document).encode()
    assert post(server, path, body + SPACES) == post(server, path, body)


def test_compressed_ones_are_inflated_beside_the_loop(server: ServerProcess) -> None:
    numbers = os.urandom(400_000).hex()
    body = json.dumps({"instances": [int(numbers[at : at + 5], 16) for at in range(0, 800_000, 5)]}).encode()
    packed = gzip.compress(body)
    assert len(packed) > 64 << 10
    status, answer, _ = post(server, "/v1/models/half_plus_two:predict", packed, {"Content-Encoding": "gzip"})
    assert (status, answer) == post(server, "/v1/models/half_plus_two:predict", body)[:2]
    refused = post(server, "/v1/models/half_plus_two:predict", b"a" * (70 << 10), {"Content-Encoding": "gzip"})
    assert (refused[0], b"document is empty" in refused[1]) == (400, True)


def test_a_reader_that_has_ended_is_begun_again_and_without_one_the_loop_reads(models_folder: Path) -> None:
    body = b'{"instances": [2.0]}' + SPACES
    with serving(models_folder) as server:
        path = "/v1/models/half_plus_two:predict"
        forking = child_of(server.popen.pid)
        assert not Path(f"/proc/{forking}/task/{forking}/children").read_text("ascii"), "none is needed yet"
        wanted = post(server, path, body)
        assert wanted[0] == 200
        os.kill(child_of(forking), signal.SIGKILL)
        assert post(server, path, body)[0] == 503
        while (answer := post(server, path, body)) != wanted:  # one begins at most once a second
            assert answer[0] == 503
        os.kill(forking, signal.SIGKILL)
        while not any("event loop reads them" in line for line in server.said):
            assert post(server, path, body)[0] in {200, 503}
        assert post(server, path, body) == wanted
        assert any("next large body begins another" in line for line in server.said)
        with urlopen(f"http://{server.http_target}/monitoring/prometheus/metrics", timeout=60) as page:
            assert b"pitfalls_body_readers_ended_total{} 2\n" in page.read()
        server.popen.send_signal(signal.SIGTERM)
        assert server.popen.wait(60) == 0
