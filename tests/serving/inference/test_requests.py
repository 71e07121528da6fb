"""Requests have the caller's wishes: outputs, a body, a deadline; and say when they are logged."""

from __future__ import annotations

import asyncio
from dataclasses import FrozenInstanceError, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from serving.capture.capture import Caller, Capture
from serving.inference.inference import Inference
from serving.inference.requests import InferenceRequest, InferenceResult, RowRequest
from serving.rest.instances import INSTANCES_FORMAT
from serving.status import Code, Failure
from tests.serving.memory_log import MemoryLog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from serving.inference.requests import Outcome
    from serving.models.served_version import ServedVersion
    from serving.models.versions import Models

CALLER = Caller(request_id="r", event_time_us=0, arrived_us=0)


@pytest.fixture
def named(models: Models) -> Iterator[ServedVersion]:
    with models.lease("named") as served:
        yield served


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def inference(log: MemoryLog) -> Iterator[Inference]:
    one = Inference(capture=Capture(log))
    yield one
    one.close()


def request(served: ServedVersion, **wishes: Any) -> InferenceRequest:
    inputs = {"a": np.ones((1, 2), np.float32), "b": np.ones((1, 3), np.float32)}
    signature = served.runner.signatures["two_float"]
    return InferenceRequest(served=served, signature=signature, inputs=inputs, caller=CALLER, **wishes)


def body_of(inference: Inference, asking: InferenceRequest) -> Outcome:
    async def submitted() -> Outcome:
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        def done(result: Outcome | BaseException) -> None:
            if isinstance(result, BaseException):
                outcome.set_exception(result)
            else:
                outcome.set_result(result)

        inference.submit(asking, done)
        return await outcome

    return asyncio.run(submitted())


def test_by_default_a_request_wants_all_outputs_as_tensors_and_is_logged_at_once(
    inference: Inference, log: MemoryLog, named: ServedVersion
) -> None:
    result = asyncio.run(inference.infer(request(named)))
    assert set(result.outputs) == set(named.runner.signatures["two_float"].outputs) == {"p", "q"}
    assert log.rows == [("r", 0)]


def test_only_the_wanted_outputs_are_computed_and_logged(
    inference: Inference, log: MemoryLog, named: ServedVersion
) -> None:
    result = asyncio.run(inference.infer(request(named, outputs=("p",))))
    assert list(result.outputs) == ["p"]
    assert list(log.appends[0].outputs) == ["p"]


def test_what_writes_the_body_gets_the_outputs(inference: Inference, named: ServedVersion) -> None:
    body = body_of(inference, request(named, write=lambda outputs: str(outputs["p"].tolist()).encode()))
    assert body == b"[2.0]"


def test_a_body_that_cannot_be_written_is_an_error_and_not_logged(
    inference: Inference, log: MemoryLog, named: ServedVersion
) -> None:
    def write(_: object) -> bytes:
        raise Failure(Code.UNIMPLEMENTED, "no such type")

    with pytest.raises(Failure, match="no such type"):
        body_of(inference, request(named, write=write))
    assert log.rows == []


def test_a_request_for_a_body_gives_no_tensors(inference: Inference, named: ServedVersion) -> None:
    with pytest.raises(TypeError, match="gives a body, not tensors"):
        asyncio.run(inference.infer(request(named, write=lambda _: b"")))


def test_a_request_that_its_caller_logs_is_answered_and_not_logged(
    inference: Inference, log: MemoryLog, named: ServedVersion
) -> None:
    result = asyncio.run(inference.infer(request(named, is_logged_later=True)))
    assert result.outputs["p"].tolist() == [2.0]
    assert log.rows == []


def test_its_own_deadline_replaces_the_servers(log: MemoryLog, named: ServedVersion) -> None:
    strict = Inference(capture=Capture(log), timeout_s=0.0)
    with pytest.raises(Failure, match="the deadline passed"):
        asyncio.run(strict.infer(request(named)))
    assert asyncio.run(strict.infer(request(named, timeout_s=30.0))).outputs["p"].tolist() == [2.0]
    strict.close()
    patient = Inference(capture=Capture(log), timeout_s=None)
    with pytest.raises(Failure, match="the deadline passed"):
        asyncio.run(patient.infer(request(named, timeout_s=-1.0)))
    patient.close()


def test_rows_are_read_and_written_by_their_format(inference: Inference, named: ServedVersion) -> None:
    outcomes: list[Outcome | BaseException] = []

    async def submit() -> None:
        done = asyncio.Event()

        def finish(outcome: Outcome | BaseException) -> None:
            outcomes.append(outcome)
            done.set()

        rows = [{"a": [1, 1], "b": [0, 0, 0]}, {"a": [2, 1], "b": [0, 0, 0]}]
        signature = named.runner.signatures["two_float"]
        inference.submit(RowRequest(named, signature, rows, CALLER, INSTANCES_FORMAT, ("p",)), finish)
        await done.wait()

    asyncio.run(submit())
    assert outcomes == [b'{\n    "predictions": [2.0, 3.0\n    ]\n}']


def test_requests_do_not_change(named: ServedVersion) -> None:
    one = request(named)
    with pytest.raises(FrozenInstanceError):
        one.timeout_s = 1.0  # type: ignore[misc]
    later = replace(one, is_logged_later=True)
    assert (later.is_logged_later, later.inputs is one.inputs, one.is_logged_later) == (True, True, False)
    assert InferenceResult(outputs={}).outputs == {}
