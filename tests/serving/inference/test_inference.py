"""Joined or alone, a request gets the same answer, and it is in the log before it leaves."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from serving.capture.capture import Caller, Capture
from serving.inference.inference import Inference
from serving.inference.requests import InferenceRequest, RowRequest
from serving.rest.instances_format import INSTANCES_FORMAT
from serving.status import Code, Failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitoring.traffic.format.rows import AnsweredRows
    from serving.inference.requests import InferenceResult, Outcome
    from serving.models.served_version import ServedVersion
    from serving.models.versions import Models

Array = np.ndarray[Any, Any]


class Ledger:
    def __init__(self) -> None:
        self.appends: list[AnsweredRows] = []

    def append(self, rows: AnsweredRows) -> None:
        self.appends.append(rows)

    @property
    def rows(self) -> list[tuple[str, int]]:
        return [
            (request_id, row)
            for one in self.appends
            for request_id, row in zip(one.request_ids, np.asarray(one.rows).tolist(), strict=True)
        ]


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def inference(ledger: Ledger) -> Iterator[Inference]:
    one = Inference(capture=Capture(ledger))
    yield one
    one.close()


@pytest.fixture
def named(models: Models) -> Iterator[ServedVersion]:
    with models.lease("named") as served:
        yield served


def question(served: ServedVersion, signature: str, request_id: str, **inputs: Array) -> InferenceRequest:
    caller = Caller(request_id=request_id, event_time_us=0, arrived_us=0)
    return InferenceRequest(served=served, signature=served.runner.signatures[signature], inputs=inputs, caller=caller)


def infer(inference: Inference, *questions: InferenceRequest) -> list[InferenceResult | BaseException]:
    async def all_at_once() -> list[InferenceResult | BaseException]:
        return await asyncio.gather(*map(inference.infer, questions), return_exceptions=True)

    return asyncio.run(all_at_once())


def outputs(answer: InferenceResult | BaseException) -> dict[str, Any]:
    assert not isinstance(answer, BaseException), answer
    return {name: value.tolist() for name, value in answer.outputs.items()}


def two_float(served: ServedVersion, request_id: str, *rows: float) -> InferenceRequest:
    a = np.array([[row, row] for row in rows], np.float32).reshape(-1, 2)
    return question(served, "two_float", request_id, a=a, b=np.zeros((len(rows), 3), np.float32))


def test_requests_that_come_together_share_one_run_and_one_append(
    inference: Inference, ledger: Ledger, named: ServedVersion
) -> None:
    answers = infer(inference, two_float(named, "a", 1, 2), two_float(named, "b", 3), two_float(named, "c", 4, 5))
    assert [outputs(one)["p"] for one in answers] == [[2.0, 4.0], [6.0], [8.0, 10.0]]
    assert len(ledger.appends) == 1
    assert ledger.rows == [("a", 0), ("a", 1), ("b", 0), ("c", 0), ("c", 1)]


def test_other_inner_shapes_do_not_join(inference: Inference, ledger: Ledger, named: ServedVersion) -> None:
    wide = question(named, "two_float", "w", a=np.ones((1, 5), np.float32), b=np.zeros((1, 3), np.float32))
    answers = infer(inference, two_float(named, "a", 1), wide)
    assert [outputs(one)["p"] for one in answers] == [[2.0], [5.0]]
    assert len(ledger.appends) == 2


def test_a_signature_that_mixes_rows_runs_each_request_alone(
    inference: Inference, ledger: Ledger, named: ServedVersion
) -> None:
    asked = [question(named, "scalar_out", str(one), x=np.full(2, one, np.float32)) for one in (1, 5)]
    assert [outputs(one)["total"] for one in infer(inference, *asked)] == [2.0, 10.0]
    # No axis of `total` counts rows, so each request is one row with its whole tensors.
    assert ledger.rows == [("1", 0), ("5", 0)]
    assert ledger.appends[0].inputs["x"].shape == (1, 2)
    assert ledger.appends[0].outputs["total"].shape == (1,)


def test_outputs_whose_first_axis_counts_something_else_are_found_out(
    inference: Inference, ledger: Ledger, named: ServedVersion
) -> None:
    asked = [question(named, "distinct", str(one), x=np.array([one, one], np.float32)) for one in (1, 5)]
    for _ in range(2):
        assert [outputs(one)["values"] for one in infer(inference, *asked)] == [[1.0], [5.0]]
    assert ledger.rows == [("1", 0), ("5", 0)] * 2


def test_one_bad_request_does_not_fail_those_it_was_joined_with(
    inference: Inference, ledger: Ledger, models: Models
) -> None:
    with models.lease("half_plus_two") as served:
        good = np.array([b""], object)
        bad = np.array([b"no example"], object)
        asked = [question(served, "regress_x_to_y", name, inputs=value) for name, value in (("g", good), ("b", bad))]
        fine, failed = infer(inference, *asked)
    assert outputs(fine)["outputs"] == [[2.0]]
    assert isinstance(failed, Failure)
    assert failed.code is Code.INVALID_ARGUMENT
    assert ledger.rows == [("g", 0)], "a failed request has no answer to log"


def test_names_are_checked_in_the_words_of_the_contract(inference: Inference, named: ServedVersion) -> None:
    (failed,) = infer(inference, question(named, "two_float", "a", z=np.zeros(1)))
    assert isinstance(failed, Failure)
    assert failed.message == (
        "input size does not match signature: 1!=2 len({z}) != len({a,b}). "
        "Sent extra: {z}. Missing but required: {a,b}."
    )


def test_an_empty_batch_is_answered_and_has_no_rows(inference: Inference, ledger: Ledger, named: ServedVersion) -> None:
    (answer,) = infer(inference, two_float(named, "a"))
    assert outputs(answer)["p"] == []
    assert ledger.rows == []


def infer_all(inference: Inference, *questions: InferenceRequest) -> bytes:
    def write(answers: Sequence[InferenceResult]) -> bytes:
        if any("q" not in answer.outputs for answer in answers):
            raise Failure(Code.INVALID_ARGUMENT, "no q")
        return b"written"

    return asyncio.run(inference.infer_all(questions, write))


def test_several_questions_are_logged_at_once(inference: Inference, ledger: Ledger, named: ServedVersion) -> None:
    assert infer_all(inference, two_float(named, "r/a", 1.0), two_float(named, "r/b", 2.0, 3.0)) == b"written"
    assert ledger.rows == [("r/a", 0), ("r/b", 0), ("r/b", 1)]
    assert ledger.appends[1].outputs["p"].tolist() == [4.0, 6.0]


def test_several_questions_of_which_one_fails_leave_no_row(
    inference: Inference, ledger: Ledger, named: ServedVersion
) -> None:
    whole = two_float(named, "r/a", 1.0)
    broken = question(named, "two_float", "r/b", a=np.zeros((1, 2), np.int32), b=np.zeros((1, 3), np.float32))
    unwritten = question(named, "scalar_out", "r/c", x=np.zeros(2, np.float32))
    for last in (broken, unwritten):
        with pytest.raises(Failure):
            infer_all(inference, whole, last)
    assert ledger.rows == []
    infer(inference, whole)
    assert ledger.rows == [("r/a", 0)]


def test_nothing_is_bounded_too(inference: Inference, ledger: Ledger, models: Models, named: ServedVersion) -> None:
    with models.lease("half_plus_two") as served:
        few, many = (question(served, "serving_default", "r", x=np.zeros((rows, 0), np.float32)) for rows in (5, 2**40))
        (answer,), (refusal,) = infer(inference, few), infer(inference, many)
    assert outputs(answer) == {"y": [[]] * 5}
    # Here the rows differ, so nothing counts them, but the graph would make 2^31 sums.
    uneven = {"a": np.zeros((2**31, 0), np.float32), "b": np.zeros((1, 3), np.float32)}
    (sums,) = infer(inference, question(named, "two_float", "r", **uneven))
    for failure in (refusal, sums):
        assert isinstance(failure, Failure)
        assert (failure.code, "too large" in failure.message) == (Code.INVALID_ARGUMENT, True)
    assert len(ledger.rows) == 5


def test_a_number_too_large_fails_its_own_request_only(
    inference: Inference, ledger: Ledger, named: ServedVersion
) -> None:
    told: dict[str, Outcome | BaseException] = {}

    async def put_together() -> None:
        waiting = asyncio.Semaphore(0)

        def done(name: str, outcome: Outcome | BaseException) -> None:
            told[name] = outcome
            waiting.release()

        signature = named.runner.signatures["two_float"]
        for name, value in (("before", 2), ("large", 10**400), ("after", 4)):
            caller = Caller(request_id=name, event_time_us=0, arrived_us=0)
            row = {"a": [value, 0], "b": [0, 0, 0]}
            asked = RowRequest(named, signature, [row], caller, INSTANCES_FORMAT, ("p",))
            inference.submit(asked, partial(done, name))
        for _ in range(3):
            await waiting.acquire()

    asyncio.run(put_together())
    assert isinstance(told["large"], Failure)
    assert "too big" in told["large"].message
    bodies = [told["before"], told["after"]]
    assert bodies == [b'{\n    "predictions": [%b\n    ]\n}' % number for number in (b"2.0", b"4.0")]
    assert ledger.rows == [("before", 0), ("after", 0)]
