"""Requests that share a batch get the answers that they get alone, and are logged as often."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.capture.capture import Caller, Capture
from serving.inference.inference import Inference
from serving.inference.requests import InferenceRequest, RowRequest
from serving.models.versions import Models
from serving.rest.encoding import write_columns
from serving.rest.instances import INSTANCES_FORMAT
from serving.status import Failure
from tests.serving.memory_log import MemoryLog
from tests.serving.sums_model import NAMES, load_sums

if TYPE_CHECKING:
    from collections.abc import Iterator

    from serving.inference.requests import AnyRequest, Outcome
    from serving.models.served_version import ServedVersion


@pytest.fixture(scope="module")
def sums(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    models = load_sums(tmp_path_factory.mktemp("models"))
    yield models
    models.close()


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
def test_a_request_gets_the_same_answer_alone_and_in_a_batch(
    sums: Models, sent: list[tuple[bool, list[Any]]], signature: str
) -> None:
    alone = [infer(sums, signature, [one])[0][0] for one in sent]
    together, log = infer(sums, signature, sent)
    assert together == alone
    fine = {str(index): len(rows) for index, (_, rows) in enumerate(sent) if not alone[index].startswith("Failure")}
    logged = [
        (request_id, row) for one in log.appends for request_id, row in zip(one.request_ids, one.rows, strict=True)
    ]
    assert sorted(logged) == sorted((name, row) for name, count in fine.items() for row in range(count))
    if len(fine) == len(sent):  # no request had to run again alone: one append for each key and shape
        # Rows are expected to have the signature's shape; tensors are known not to have it.
        runs = {(len(rows[0]), signature == "fixed" and len(rows[0]) != 2 and not in_rows) for in_rows, rows in sent}
        assert len(log.appends) == len(runs)


def infer(models: Models, signature: str, sent: list[tuple[bool, list[Any]]]) -> tuple[list[str], MemoryLog]:
    """The bodies or errors of requests that are submitted at once; and the log."""
    outcomes: dict[int, Outcome | BaseException] = {}
    log = MemoryLog()

    async def submit_all(served: ServedVersion) -> None:
        inference = Inference(capture=Capture(log))
        waiting = asyncio.Semaphore(0)

        def done(index: int, outcome: Outcome | BaseException) -> None:
            outcomes[index] = outcome
            waiting.release()

        for index, (in_rows, rows) in enumerate(sent):
            caller = Caller(request_id=str(index), event_time_us=0, arrived_us=0)
            inference.submit(make_request(served, signature, caller, rows, in_rows=in_rows), partial(done, index))
        for _ in sent:
            await asyncio.wait_for(waiting.acquire(), 30)
        inference.close()

    with models.lease("sums") as served:
        asyncio.run(submit_all(served))
    texts = []
    for index in range(len(sent)):
        outcome = outcomes[index]
        assert isinstance(outcome, bytes | Failure), outcome
        texts.append(outcome.decode() if isinstance(outcome, bytes) else f"Failure: {outcome.code} {outcome.message}")
    return texts, log


def make_request(
    served: ServedVersion, signature: str, caller: Caller, rows: list[Any], *, in_rows: bool
) -> AnyRequest:
    known = served.runner.signatures[signature]
    if in_rows:
        return RowRequest(served, known, rows, caller, INSTANCES_FORMAT)
    inputs = {NAMES[signature]: np.array(rows, np.float32)}
    return InferenceRequest(served=served, signature=known, inputs=inputs, caller=caller, write=write_columns)
