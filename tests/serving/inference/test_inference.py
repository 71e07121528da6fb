"""Joined or alone, a request gets the same answer, and it is in the log before it leaves."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from serving.capture.capture import Caller, Capture
from serving.capture.log_sink import LogSink
from serving.inference.inference import Inference
from serving.inference.requests import InferenceRequest, RowRequest
from serving.metrics.model_metrics import ModelCounts
from serving.models.batch_settings import BatchSettings
from serving.models.loading import load_version
from serving.models.version_folders import discover
from serving.models.versions import Models
from serving.rest.instances import INSTANCES_FORMAT
from serving.status import Code, Failure
from tests.serving.memory_log import BlockedLog, FullDisk, MemoryLog

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from monitoring.traffic.format.rows import AnsweredRows
    from serving.inference.requests import InferenceResult, Outcome
    from serving.models.served_version import ServedVersion

Array = np.ndarray[Any, Any]


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def inference(log: MemoryLog) -> Iterator[Inference]:
    one = Inference(capture=Capture(log))
    yield one
    one.close()


@pytest.fixture
def named(models: Models) -> Iterator[ServedVersion]:
    with models.lease("named") as served:
        yield served


def make_request(served: ServedVersion, signature: str, request_id: str, **inputs: Array) -> InferenceRequest:
    caller = Caller(request_id=request_id, event_time_us=0, arrived_us=0)
    return InferenceRequest(served=served, signature=served.runner.signatures[signature], inputs=inputs, caller=caller)


def infer(inference: Inference, *requests: InferenceRequest) -> list[InferenceResult | BaseException]:
    async def all_at_once() -> list[InferenceResult | BaseException]:
        return await asyncio.gather(*map(inference.infer, requests), return_exceptions=True)

    return asyncio.run(all_at_once())


def outputs(answer: InferenceResult | BaseException) -> dict[str, Any]:
    assert not isinstance(answer, BaseException), answer
    return {name: value.tolist() for name, value in answer.outputs.items()}


def two_float(served: ServedVersion, request_id: str, *rows: float) -> InferenceRequest:
    a = np.array([[row, row] for row in rows], np.float32).reshape(-1, 2)
    return make_request(served, "two_float", request_id, a=a, b=np.zeros((len(rows), 3), np.float32))


def test_requests_that_come_together_share_one_run_and_one_append(
    inference: Inference, log: MemoryLog, named: ServedVersion
) -> None:
    answers = infer(inference, two_float(named, "a", 1, 2), two_float(named, "b", 3), two_float(named, "c", 4, 5))
    assert [outputs(one)["p"] for one in answers] == [[2.0, 4.0], [6.0], [8.0, 10.0]]
    assert len(log.appends) == 1
    assert log.rows == [("a", 0), ("a", 1), ("b", 0), ("c", 0), ("c", 1)]


def test_requests_of_other_inner_shapes_are_not_joined(
    inference: Inference, log: MemoryLog, named: ServedVersion
) -> None:
    wide = make_request(named, "two_float", "w", a=np.ones((1, 5), np.float32), b=np.zeros((1, 3), np.float32))
    answers = infer(inference, two_float(named, "a", 1), wide)
    assert [outputs(one)["p"] for one in answers] == [[2.0], [5.0]]
    assert len(log.appends) == 2


def test_a_signature_that_mixes_rows_runs_each_request_alone(
    inference: Inference, log: MemoryLog, named: ServedVersion
) -> None:
    sent = [make_request(named, "scalar_out", str(one), x=np.full(2, one, np.float32)) for one in (1, 5)]
    assert [outputs(one)["total"] for one in infer(inference, *sent)] == [2.0, 10.0]
    # No axis of `total` counts rows, so each request is one row with its whole tensors.
    assert log.rows == [("1", 0), ("5", 0)]
    assert log.appends[0].inputs["x"].shape == (1, 2)
    assert log.appends[0].outputs["total"].shape == (1,)


def test_outputs_whose_first_dimension_does_not_count_rows_are_detected(
    inference: Inference, log: MemoryLog, named: ServedVersion
) -> None:
    sent = [make_request(named, "distinct", str(one), x=np.array([one, one], np.float32)) for one in (1, 5)]
    for _ in range(2):
        assert [outputs(one)["values"] for one in infer(inference, *sent)] == [[1.0], [5.0]]
    assert log.rows == [("1", 0), ("5", 0)] * 2


def test_a_bad_request_does_not_fail_the_others_of_its_batch(
    inference: Inference, log: MemoryLog, models: Models
) -> None:
    with models.lease("half_plus_two") as served:
        good = np.array([b""], object)
        bad = np.array([b"no example"], object)
        sent = [make_request(served, "regress_x_to_y", name, inputs=value) for name, value in (("g", good), ("b", bad))]
        fine, failed = infer(inference, *sent)
    assert outputs(fine)["outputs"] == [[2.0]]
    assert isinstance(failed, Failure)
    assert failed.code is Code.INVALID_ARGUMENT
    assert log.rows == [("g", 0)], "a failed request has no answer to log"


def test_names_are_checked_in_the_words_of_the_contract(inference: Inference, named: ServedVersion) -> None:
    (failed,) = infer(inference, make_request(named, "two_float", "a", z=np.zeros(1)))
    assert isinstance(failed, Failure)
    assert failed.message == (
        "input size does not match signature: 1!=2 len({z}) != len({a,b}). "
        "Sent extra: {z}. Missing but required: {a,b}."
    )


def test_an_empty_batch_is_answered_and_has_no_rows(inference: Inference, log: MemoryLog, named: ServedVersion) -> None:
    (answer,) = infer(inference, two_float(named, "a"))
    assert outputs(answer)["p"] == []
    assert log.rows == []


def infer_all(inference: Inference, *requests: InferenceRequest) -> bytes:
    def write(answers: Sequence[InferenceResult]) -> bytes:
        if any("q" not in answer.outputs for answer in answers):
            raise Failure(Code.INVALID_ARGUMENT, "no q")
        return b"written"

    return asyncio.run(inference.infer_all(requests, write))


def test_several_requests_are_logged_at_once(inference: Inference, log: MemoryLog, named: ServedVersion) -> None:
    assert infer_all(inference, two_float(named, "r/a", 1.0), two_float(named, "r/b", 2.0, 3.0)) == b"written"
    assert log.rows == [("r/a", 0), ("r/b", 0), ("r/b", 1)]
    assert log.appends[1].outputs["p"].tolist() == [4.0, 6.0]


def test_if_one_of_several_requests_fails_none_is_logged(
    inference: Inference, log: MemoryLog, named: ServedVersion
) -> None:
    whole = two_float(named, "r/a", 1.0)
    broken = make_request(named, "two_float", "r/b", a=np.zeros((1, 2), np.int32), b=np.zeros((1, 3), np.float32))
    unwritten = make_request(named, "scalar_out", "r/c", x=np.zeros(2, np.float32))
    for last in (broken, unwritten):
        with pytest.raises(Failure):
            infer_all(inference, whole, last)
    assert log.rows == []
    infer(inference, whole)
    assert log.rows == [("r/a", 0)]


def test_empty_tensors_are_bounded_too(
    inference: Inference, log: MemoryLog, models: Models, named: ServedVersion
) -> None:
    with models.lease("half_plus_two") as served:
        few, many = (
            make_request(served, "serving_default", "r", x=np.zeros((rows, 0), np.float32)) for rows in (5, 2**40)
        )
        (answer,), (refusal,) = infer(inference, few), infer(inference, many)
    assert outputs(answer) == {"y": [[]] * 5}
    # Here the rows differ, so nothing counts them, but the graph would make 2^31 sums.
    uneven = {"a": np.zeros((2**31, 0), np.float32), "b": np.zeros((1, 3), np.float32)}
    (sums,) = infer(inference, make_request(named, "two_float", "r", **uneven))
    for failure in (refusal, sums):
        assert isinstance(failure, Failure)
        assert (failure.code, "too large" in failure.message) == (Code.INVALID_ARGUMENT, True)
    assert len(log.rows) == 5


def test_a_number_too_large_fails_its_own_request_only(
    inference: Inference, log: MemoryLog, named: ServedVersion
) -> None:
    outcomes: dict[str, Outcome | BaseException] = {}

    async def submit_all() -> None:
        waiting = asyncio.Semaphore(0)

        def done(name: str, outcome: Outcome | BaseException) -> None:
            outcomes[name] = outcome
            waiting.release()

        signature = named.runner.signatures["two_float"]
        for name, value in (("before", 2), ("large", 10**400), ("after", 4)):
            caller = Caller(request_id=name, event_time_us=0, arrived_us=0)
            row = {"a": [value, 0], "b": [0, 0, 0]}
            sent = RowRequest(named, signature, [row], caller, INSTANCES_FORMAT, ("p",))
            inference.submit(sent, partial(done, name))
        for _ in range(3):
            await waiting.acquire()

    asyncio.run(submit_all())
    assert isinstance(outcomes["large"], Failure)
    assert "too big" in outcomes["large"].message
    bodies = [outcomes["before"], outcomes["after"]]
    assert bodies == [b'{\n    "predictions": [%b\n    ]\n}' % number for number in (b"2.0", b"4.0")]
    assert log.rows == [("before", 0), ("after", 0)]


def test_an_answer_that_cannot_be_logged_leaves_unless_the_server_refuses_it(named: ServedVersion) -> None:
    for refuses in (False, True):
        sink = LogSink(FullDisk(), refuses=refuses)
        inference = Inference(capture=Capture(sink))
        (outcome,) = infer(inference, two_float(named, "a", 1.0))
        inference.close()
        if refuses:
            assert isinstance(outcome, Failure)
            assert outcome.code is Code.UNAVAILABLE
            assert (sink.rows_refused, sink.rows_lost) == (1, 0)
        else:
            assert outputs(outcome)["p"] == [2.0]
            assert (sink.rows_refused, sink.rows_lost) == (0, 1)


def test_several_requests_are_refused_together_where_unlogged_answers_are_refused(named: ServedVersion) -> None:
    inference = Inference(capture=Capture(LogSink(FullDisk(), refuses=True)))
    with pytest.raises(Failure, match="The traffic log cannot be written") as caught:
        infer_all(inference, two_float(named, "r/a", 1.0), two_float(named, "r/b", 2.0))
    inference.close()
    assert caught.value.code is Code.UNAVAILABLE


def test_a_request_whose_caller_is_gone_is_neither_answered_nor_logged(named: ServedVersion) -> None:
    log = BlockedLog()
    inference = Inference(capture=Capture(log), batches=BatchSettings(quick_s=0))

    async def leave() -> None:
        first = asyncio.create_task(inference.infer(two_float(named, "first", 1.0)))
        assert await asyncio.to_thread(log.is_blocked.wait, 30)
        waiting = asyncio.create_task(inference.infer(two_float(named, "gone", 2.0)))
        await asyncio.sleep(0)
        assert inference.waiting == 1
        waiting.cancel()
        log.unblock.set()
        await first
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await inference.infer(two_float(named, "last", 3.0))

    asyncio.run(leave())
    inference.close()
    assert log.rows == [("first", 0), ("last", 0)]


def test_other_wanted_outputs_run_apart(inference: Inference, log: MemoryLog, named: ServedVersion) -> None:
    wanted = [(), ("p",), ("q",), ("p",)]
    requests = [replace(two_float(named, str(n), float(n)), outputs=names) for n, names in enumerate(wanted)]
    answers = infer(inference, *requests)
    assert [set(outputs(one)) for one in answers] == [{"p", "q"}, {"p"}, {"q"}, {"p"}]
    assert [one.request_ids for one in log.appends] == [["0"], ["1", "3"], ["2"]]


def test_runs_are_counted_with_the_rows_of_each_request(models: Models, named: ServedVersion) -> None:
    counts = ModelCounts()
    inference = Inference(capture=Capture(None), counts=counts)
    infer(inference, two_float(named, "a", 1.0, 2.0), two_float(named, "b", 3.0))
    inference.close()
    lines = list(counts.lines())
    assert ':tensorflow:serving:request_example_count_total{model="named"} 3' in lines
    assert ':tensorflow:serving:request_example_counts_bucket{model="named",le="1"} 1' in lines
    runs = ':tensorflow:serving:runtime_latency_count{model_name="named",API="Predict",runtime="TF1"}'
    assert f"{runs} 2" in lines, "one for each request, though they shared a run"


def test_the_answer_is_logged_with_the_callers_times(named: ServedVersion) -> None:
    log = MemoryLog()
    inference = Inference(capture=Capture(log), clock_us=lambda: 2_000_000)
    caller = Caller(request_id="r", event_time_us=5, arrived_us=1_500_000)
    infer(inference, replace(two_float(named, "r", 1.0), caller=caller))
    inference.close()
    (rows,) = log.appends
    assert (list(rows.event_times_us), rows.answered_at_us, list(rows.latencies_us)) == ([5], 2_000_000, [500_000])


def test_without_a_log_requests_are_answered(named: ServedVersion) -> None:
    inference = Inference(capture=Capture(None))
    assert infer_all(inference, two_float(named, "r/a", 1.0)) == b"written"
    inference.close()


@pytest.mark.parametrize(("waits", "is_in_loop"), [(False, True), (True, False)])
def test_a_log_that_waits_for_the_disk_is_never_written_in_the_event_loop(
    named: ServedVersion, *, waits: bool, is_in_loop: bool
) -> None:
    threads: list[threading.Thread] = []

    class WatchedLog(MemoryLog):
        def append(self, rows: AnsweredRows) -> None:
            threads.append(threading.current_thread())

    capture = Capture(WatchedLog(), waits_for_disk=waits)
    inference = Inference(capture=capture, batches=BatchSettings(quick_s=1e9))
    for _ in range(2):  # the second batch is known to be quick
        infer(inference, two_float(named, "r", 1.0))
    inference.close()
    assert (threads[1] is threading.main_thread()) == is_in_loop


def test_no_model_waits_for_another(models: Models, named: ServedVersion) -> None:
    """The run of one model stands still, and requests of another are answered and logged meanwhile, in their order."""
    log = BlockedLog(model="named")
    inference = Inference(capture=Capture(log), batches=BatchSettings(quick_s=0, runs=1))

    async def ask() -> list[InferenceResult]:
        slow = [asyncio.create_task(inference.infer(two_float(named, f"slow-{n}", 1.0))) for n in range(16)]
        assert await asyncio.to_thread(log.is_blocked.wait, 30)
        with models.lease("half_plus_two") as served:
            x = np.ones(1, np.float32)
            fast = [await inference.infer(make_request(served, "serving_default", f"fast-{n}", x=x)) for n in range(3)]
        assert not any(one.done() for one in slow)
        assert log.request_ids == ["fast-0", "fast-1", "fast-2"]
        log.unblock.set()
        await asyncio.gather(*slow)
        return fast

    assert [outputs(one) for one in asyncio.run(ask())] == [{"y": [2.5]}] * 3
    inference.close()
    assert log.request_ids[3:] == [f"slow-{n}" for n in range(16)]


def test_the_queue_of_an_unloaded_version_goes(models_folder: Path, inference: Inference) -> None:
    models = Models(lambda: discover(models_folder), load=load_version, report=lambda _: None)
    models.poll()
    kept = []
    for name in ("half_plus_two", "half_plus_three"):
        with models.lease(name) as served:
            kept.append(weakref.ref(served))
            infer(inference, make_request(served, "serving_default", "r", x=np.ones(1, np.float32)))
        del served
        models.close()
        models = Models(lambda: discover(models_folder), load=load_version, report=lambda _: None)
        models.poll()
    models.close()
    gc.collect()
    assert kept[0]() is None, "the second version's first request freed it"
