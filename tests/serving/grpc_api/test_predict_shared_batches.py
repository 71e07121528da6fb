"""Requests of every dialect ride in one batch and one write to the log, each with its own answer in its own form."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow import make_ndarray

from serving.capture.capture import Caller, Capture
from serving.inference.batching import BatchSettings
from serving.inference.inference import Inference
from serving.inference.requests import InferenceRequest, RowRequest
from serving.models.loading import load_version
from serving.models.version_folders import discover
from serving.models.versions import Models
from serving.rest.encoding import write_columns
from serving.rest.instances_format import INSTANCES_FORMAT
from serving.status import Failure
from tests.serving.grpc_api.conftest import Ledger, StuckLedger, predict_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from serving.inference.requests import AnyRequest, Outcome
    from serving.models.served_version import ServedVersion
    from tests.serving.grpc_api.conftest import OpenSite, Site

REST = "/v1/models/sums:predict"
V2 = "/v2/models/sums/infer"
# Each sends one row of ones but its own first number, and gives the sum that it was told. In both signatures.
NAMES = {"fixed": "a", "open": "v"}


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
    """One model, whose inner shape is said by one signature and open in the other."""

    def adding(name: str, width: int | None) -> Any:
        given = tf.TensorSpec([None, width], tf.float32, name=name)
        return tf.function(lambda **x: {"sum": tf.reduce_sum(x[name], 1)}).get_concrete_function(**{name: given})

    folder = tmp_path_factory.mktemp("models")
    signatures = {"fixed": adding("a", 2), "open": adding("v", None)}
    tf.saved_model.save(tf.Module(), str(folder / "sums" / "1"), signatures=signatures)
    models = Models(lambda: discover(folder, {}), load=load_version, report=lambda _: None)
    models.poll()
    yield models
    models.close()


@pytest.mark.parametrize("signature", ["fixed", "open"])
def test_all_dialects_share_one_batch_and_one_write(open_site: OpenSite, sums: Models, signature: str) -> None:
    ledger = StuckLedger()
    with (
        open_site(writer=ledger, batches=BatchSettings(quick_s=0), served=sums) as site,
        ThreadPoolExecutor(1 + len(DIALECTS)) as pool,
    ):
        first = pool.submit(rest_rows, site, signature, 100.0)
        assert ledger.is_stuck.wait(30)
        asked = {
            name: pool.submit(ask, site, signature, 10.0 * number)
            for number, (name, ask) in enumerate(DIALECTS.items(), start=1)
        }
        deadline = time.monotonic() + 30
        while site.inference.waiting < len(DIALECTS):
            assert time.monotonic() < deadline
            time.sleep(0.001)
        ledger.go_on.set()
        assert first.result(30) == 101.0
        answers = {name: one.result(30) for name, one in asked.items()}
    expected = {name: 10.0 * number + 1.0 for number, name in enumerate(DIALECTS, start=1)}
    assert answers == expected
    assert [len(one.request_ids) for one in ledger.appends] == [1, len(DIALECTS)]
    joined = ledger.appends[1]
    assert dict(zip(joined.request_ids, joined.outputs["sum"].tolist(), strict=True)) == expected
    assert joined.inputs[NAMES[signature]].tolist() == [[expected[name] - 1.0, 1.0] for name in joined.request_ids]
    assert list(joined.rows) == [0] * len(DIALECTS)


@st.composite
def requests(draw: st.DrawFn) -> tuple[bool, list[Any]]:
    """Whether in rows, and the rows: of one width, but now and then ragged or with a word among the numbers."""
    in_rows = draw(st.booleans())
    width = draw(st.integers(1, 3))
    rows: list[Any] = draw(
        st.lists(st.lists(st.integers(-9, 9), min_size=width, max_size=width), min_size=1, max_size=3)
    )
    if in_rows and draw(st.integers(0, 3)) == 0:
        rows[-1] = draw(st.sampled_from([["x"] * width, [1] * (width + 1), 7]))
    return in_rows, rows


@given(st.lists(requests(), min_size=1, max_size=6), st.sampled_from(["fixed", "open"]))
@settings(max_examples=60)
def test_together_every_request_is_told_what_it_is_told_alone(
    sums: Models, asked: list[tuple[bool, list[Any]]], signature: str
) -> None:
    alone = [told(sums, signature, [one])[0][0] for one in asked]
    together, ledger = told(sums, signature, asked)
    assert together == alone
    fine = {str(index): len(rows) for index, (_, rows) in enumerate(asked) if not alone[index].startswith("Failure")}
    logged = [
        (request_id, row) for one in ledger.appends for request_id, row in zip(one.request_ids, one.rows, strict=True)
    ]
    assert sorted(logged) == sorted((name, row) for name, count in fine.items() for row in range(count))
    if len(fine) == len(asked):  # nothing had to be asked again by itself: one write for each shape
        assert len(ledger.appends) == len({len(rows[0]) for _, rows in asked})


def told(models: Models, signature: str, asked: list[tuple[bool, list[Any]]]) -> tuple[list[str], Ledger]:
    """What each is told, all of them put at once; and the log."""
    outcomes: dict[int, Outcome | BaseException] = {}
    ledger = Ledger()

    async def put_together(served: ServedVersion) -> None:
        inference = Inference(capture=Capture(ledger))
        waiting = asyncio.Semaphore(0)

        def done(index: int, outcome: Outcome | BaseException) -> None:
            outcomes[index] = outcome
            waiting.release()

        for index, (in_rows, rows) in enumerate(asked):
            caller = Caller(request_id=str(index), event_time_us=0, arrived_us=0)
            inference.submit(question(served, signature, caller, rows, in_rows=in_rows), partial(done, index))
        for _ in asked:
            await asyncio.wait_for(waiting.acquire(), 30)
        inference.close()

    with models.lease("sums") as served:
        asyncio.run(put_together(served))
    texts = []
    for index in range(len(asked)):
        outcome = outcomes[index]
        assert isinstance(outcome, bytes | Failure), outcome
        texts.append(outcome.decode() if isinstance(outcome, bytes) else f"Failure: {outcome.code} {outcome.message}")
    return texts, ledger


def question(served: ServedVersion, signature: str, caller: Caller, rows: list[Any], *, in_rows: bool) -> AnyRequest:
    known = served.runner.signatures[signature]
    if in_rows:
        return RowRequest(served, known, rows, caller, INSTANCES_FORMAT)
    inputs = {NAMES[signature]: np.array(rows, np.float32)}
    return InferenceRequest(served=served, signature=known, inputs=inputs, caller=caller, write=write_columns)
