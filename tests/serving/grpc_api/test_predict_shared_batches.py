"""Requests of every dialect share a batch and a write to the log, each with its own answer in its own form."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import orjson
import pytest
from tensorflow import make_ndarray

from serving.models.batch_settings import BatchSettings
from serving.models.versions import Models
from tests.serving.grpc_api.conftest import predict_request
from tests.serving.http2 import raw_frames as frames
from tests.serving.http2.raw_frames import CALL_HEADERS, RawClient, call, literal
from tests.serving.memory_log import BlockedLog, MemoryLog
from tests.serving.sums_model import NAMES, load_sums

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.serving.grpc_api.conftest import OpenSite, Site

REST = "/v1/models/sums:predict"
V2 = "/v2/models/sums/infer"
# Each function sends one row, its number and 1, and gives the sum that the response has.


def rest_rows(site: Site, signature: str, number: float) -> float:
    document = {"signature_name": signature, "instances": [[number, 1.0]]}
    reply = site.website.send("POST", REST, orjson.dumps(document), {"X-Request-Id": "rows"})
    (answer,) = reply.json["predictions"]
    return float(answer)


def rest_objects(site: Site, signature: str, number: float) -> float:
    document = {"signature_name": signature, "instances": [{NAMES[signature]: [number, 1]}]}
    reply = site.website.send("POST", REST, orjson.dumps(document), {"X-Request-Id": "objects"})
    (answer,) = reply.json["predictions"]
    return float(answer)


def rest_columns(site: Site, signature: str, number: float) -> float:
    document = {"signature_name": signature, "inputs": {NAMES[signature]: [[number, 1.0]]}}
    reply = site.website.send("POST", REST, orjson.dumps(document), {"X-Request-Id": "columns"})
    (answer,) = reply.json["outputs"]
    return float(answer)


def grpc(site: Site, signature: str, number: float) -> float:
    value = np.array([[number, 1.0]], np.float32)
    request = predict_request("sums", {NAMES[signature]: value}, signature=signature)
    response = site.predictions.Predict(request, metadata=(("x-request-id", "grpc"),))
    (answer,) = make_ndarray(response.outputs["sum"])
    return float(answer)


def open_inference(site: Site, signature: str, number: float) -> float:
    value = {"name": NAMES[signature], "datatype": "FP32", "shape": [1, 2], "data": [number, 1.0]}
    document = {"id": "v2", "inputs": [value], "parameters": {"signature_name": signature}}
    reply = site.website.send("POST", V2, orjson.dumps(document))
    (output,) = reply.json["outputs"]
    (answer,) = output["data"]
    return float(answer)


DIALECTS: dict[str, Callable[[Site, str, float], float]] = {
    "rows": rest_rows,
    "columns": rest_columns,
    "grpc": grpc,
    "objects": rest_objects,
    "v2": open_inference,
}


@pytest.fixture(scope="module")
def sums(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    models = load_sums(tmp_path_factory.mktemp("models"))
    yield models
    models.close()


@pytest.mark.parametrize("signature", ["fixed", "open"])
def test_all_dialects_share_one_batch_and_one_write(open_site: OpenSite, sums: Models, signature: str) -> None:
    log = BlockedLog()
    with (
        open_site(writer=log, batches=BatchSettings(quick_s=0), served=sums) as site,
        ThreadPoolExecutor(1 + len(DIALECTS)) as pool,
    ):
        first = pool.submit(rest_rows, site, signature, 100.0)
        assert log.is_blocked.wait(30)
        sent = {
            name: pool.submit(ask, site, signature, 10.0 * number)
            for number, (name, ask) in enumerate(DIALECTS.items(), start=1)
        }
        deadline = time.monotonic() + 30
        while site.inference.waiting < len(DIALECTS):
            assert time.monotonic() < deadline
            time.sleep(0.001)
        log.unblock.set()
        assert first.result(30) == 101.0
        answers = {name: one.result(30) for name, one in sent.items()}
    expected = {name: 10.0 * number + 1.0 for number, name in enumerate(DIALECTS, start=1)}
    assert answers == expected
    assert [len(one.request_ids) for one in log.appends] == [1, len(DIALECTS)]
    joined = log.appends[1]
    assert dict(zip(joined.request_ids, joined.outputs["sum"].tolist(), strict=True)) == expected
    assert joined.inputs[NAMES[signature]].tolist() == [[expected[name] - 1.0, 1.0] for name in joined.request_ids]
    assert list(joined.rows) == [0] * len(DIALECTS)


def test_calls_that_come_together_share_a_batch_in_the_event_loop(open_site: OpenSite, sums: Models) -> None:
    log = MemoryLog()
    path = b"/tensorflow.serving.PredictionService/Predict"
    headers = CALL_HEADERS.replace(literal(b":path", b"/test.Echo/Echo"), literal(b":path", path))
    value = np.array([[1.0, 2.0]], np.float32)
    body = predict_request("sums", {NAMES["fixed"]: value}, signature="fixed").SerializeToString()
    with open_site(writer=log, served=sums) as site, RawClient(int(site.target.rpartition(":")[2])) as client:
        client.send(*(call(stream, body, headers=headers) for stream in range(1, 41, 2)))
        for stream in range(1, 41, 2):
            client.until(frames.DATA, stream=stream)
    assert sum(len(one.request_ids) for one in log.appends) == 20
    assert len(log.appends) <= 3
