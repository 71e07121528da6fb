"""One request in no dialect: check the inputs, batch, run, log, answer.

The dialects (REST, Open Inference Protocol, gRPC) only translate: they make an `InferenceRequest` of their wire format
and write an `InferenceResult` back. Every decision is taken here or in the rooms below.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from itertools import compress
from typing import TYPE_CHECKING, Any, final

import numpy as np

from serving.capture.capture import AnsweredBatch
from serving.inference.batching import Batcher, BatchSettings, BatchTask
from serving.inference.requests import AnyRequest, InferenceRequest, InferenceResult, Outcome, RowRequest
from serving.inference.timestamps import wall_clock_us
from serving.metrics.model_metrics import ModelCounts
from serving.metrics.version_statistics import StepTimes
from serving.models.named_tensors import concatenate, have_rows, shared_rows, types_of
from serving.status import Code, Failure, InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from serving.capture.capture import Capture
    from serving.models.named_tensors import TensorTypes

    Array = np.ndarray[Any, Any]

InferenceTask = BatchTask[Any, Outcome]

#: Bound on the other dimensions of a tensor without values. A few bytes can stand for 2^40 empty rows, each of which
#: would have an id in the traffic log, and of which a graph can make as many sums.
MAX_EMPTY_SIZE = 1 << 16
UNLOGGED = "The traffic log cannot be written, and answers that are not logged are refused"


@final
class Inference:
    """Answers the requests of one event loop, one batch at a time.

    Args:
        capture: Logs the answers.
        batches: Limits of the batches.
        timeout_s: The server's deadline of a request in seconds; None waits without end.
        counts: Counts runs for the metrics.
        clock_us: Wall-clock time in microseconds since 1970.
    """

    def __init__(
        self,
        *,
        capture: Capture,
        batches: BatchSettings | None = None,
        timeout_s: float | None = 30.0,
        counts: ModelCounts | None = None,
        clock_us: Callable[[], int] = wall_clock_us,
    ) -> None:
        self._capture = capture
        if capture.waits_for_disk:  # the loop goes on while the model's thread waits
            batches = replace(batches or BatchSettings(), quick_s=0.0)
        self._batcher: Batcher[Any, Outcome] = Batcher(self._run_tasks, batches)
        self._timeout_s = timeout_s
        self._clock_us = clock_us
        self._counts = counts or ModelCounts()
        self._mixes_rows: set[tuple[str, int, str]] = set()
        self._begun_ns, self._begun_us = 0, 0

    async def infer(self, request: InferenceRequest) -> InferenceResult:
        """Answer one request in tensors. When this returns, the answer is in the traffic log, or counted as lost.

        Args:
            request: One that has no ``write``.

        Returns:
            The outputs.

        Raises:
            Failure: Wrong names of inputs, an error of the graph, a missed deadline, or too many waiting requests.
            TypeError: The request has a ``write``.
        """
        result = await self._wait_for(request)
        if not isinstance(result, InferenceResult):
            raise TypeError("A request that has what writes its body gives a body, not tensors.")
        return result

    async def infer_body(self, request: InferenceRequest) -> bytes:
        """As `infer`, for a request that has a ``write``: an answer that cannot be written is not logged.

        Returns:
            The response's body.

        Raises:
            Failure: As of `infer`, or of ``write``.
            TypeError: The request has no ``write``.
        """
        body = await self._wait_for(request)
        if not isinstance(body, bytes):
            raise TypeError("A request without what writes its body gives tensors, not a body.")
        return body

    async def infer_all(
        self, requests: Sequence[InferenceRequest], write: Callable[[Sequence[InferenceResult]], bytes]
    ) -> bytes:
        """Several requests of one caller, one body: all their answers are logged, or, if one fails, none.

        Returns:
            The response's body.

        Raises:
            Failure: As of `infer` for the first request that fails, or of ``write``.
        """
        results = [await self.infer(replace(request, is_logged_later=True)) for request in requests]
        body = write(results)
        if self._capture.writes:
            for request, result in zip(requests, results, strict=True):
                rows = [shared_rows(request.inputs) or 1]
                if not self._log([request], rows, request.inputs, result.outputs, [True]):
                    raise Failure(Code.UNAVAILABLE, UNLOGGED)
        return body

    def submit(self, request: AnyRequest, done: Callable[[Outcome | BaseException], None]) -> None:
        """As `infer`, without an asyncio task.

        Args:
            request: With or without a ``write``.
            done: Called in the event loop, later, with what `infer` would return or raise.

        Raises:
            Failure: Wrong names of inputs, or too many waiting requests; ``done`` is not called then.
        """
        key, rows = self._batch_key(request)
        own_s = request.timeout_s if isinstance(request, InferenceRequest) else None
        timeout_s = self._timeout_s if own_s is None else own_s
        self._batcher.submit(request, key=key, rows=rows, timeout_s=timeout_s, done=done)

    @property
    def max_batch_rows(self) -> int:
        """The most rows of requests that share a batch."""
        return self._batcher.max_rows

    @property
    def waiting(self) -> int:
        """The number of requests that wait for their batch."""
        return self._batcher.waiting

    def close(self) -> None:
        """End the model's thread."""
        self._batcher.close()

    async def _wait_for(self, request: InferenceRequest) -> Outcome:
        key, rows = self._batch_key(request)
        timeout_s = self._timeout_s if request.timeout_s is None else request.timeout_s
        return await self._batcher.submit_and_wait(request, key=key, rows=rows, timeout_s=timeout_s)

    def _batch_key(self, request: AnyRequest) -> tuple[tuple[object, ...] | None, int]:
        """What requests must have in common to share a run; the same for every dialect.

        Rows are not read yet: their types are taken to be the signature's, or, where it leaves them open, those that
        the first row gives.

        Returns:
            The key, None if the request must run alone; and its number of rows.

        Raises:
            InvalidArgument: Wrong names of inputs, or an empty tensor that is too large.
        """
        served, signature = request.served, request.signature
        mixes = self._mixes_rows
        is_batchable = signature.is_batchable and not (mixes and _signature_key(request) in mixes)
        types: TensorTypes | None = None
        if isinstance(request, RowRequest):
            rows: int | None = len(request.rows)
            if is_batchable and signature.input_types is None:
                types = request.row_format.expected_types(request.rows, signature)
        else:
            check_names(request)
            for name, value in request.inputs.items():
                if not value.size and math.prod(size or 1 for size in value.shape) > MAX_EMPTY_SIZE:
                    raise InvalidArgument(
                        f"Input {name} has no value but the shape {list(value.shape)}, which is too large."
                    )
            rows = shared_rows(request.inputs)
            if is_batchable:
                types = types_of(request.inputs)
                if types == signature.input_types:
                    types = None
        if rows is None or not is_batchable:
            return None, 1 if rows is None else rows
        return (id(served), signature.name, request.outputs, types), rows

    def _run_tasks(self, tasks: Sequence[InferenceTask]) -> None:
        """Read the rows that are not read yet, run the batch, log it, and write the responses."""
        self._begun_ns, self._begun_us = time.perf_counter_ns(), self._clock_us()
        if isinstance(tasks[0].request, RowRequest) and len(tasks) == 1:
            unread, read = tasks, []
        else:
            unread = [task for task in tasks if isinstance(task.request, RowRequest)]
            read = [task for task in tasks if isinstance(task.request, InferenceRequest)]
        if not unread:
            self._run_group([(task, task.request.inputs) for task in read])
            return
        row_format, signature = unread[0].request.row_format, unread[0].request.signature
        rows_of = [task.request.rows for task in unread]
        inputs = row_format.read_regular(rows_of, signature)
        if inputs is not None and read:
            inputs = concatenate([inputs, *(task.request.inputs for task in read)])
        if inputs is not None and self._run([*unread, *read], inputs):
            return
        groups: dict[object, list[tuple[InferenceTask, Mapping[str, Array]]]] = {}
        for task, rows in zip(unread, rows_of, strict=True):
            try:
                inputs = row_format.read(rows, signature)
            except Failure as failure:
                task.outcome = failure
            else:
                groups.setdefault(types_of(inputs), []).append((task, inputs))
        for task in read:
            groups.setdefault(types_of(task.request.inputs), []).append((task, task.request.inputs))
        for group in groups.values():
            self._run_group(group)

    def _run_group(self, group: Sequence[tuple[InferenceTask, Mapping[str, Array]]]) -> None:
        """Run requests of equal types: in one run, or each alone where rows are mixed."""
        tasks = [task for task, _ in group]
        if len(group) > 1 and _signature_key(tasks[0].request) not in self._mixes_rows:
            inputs = concatenate([one for _, one in group])
            if inputs is not None and self._run(tasks, inputs):
                return
        for task, one in group:
            self._run([task], one)

    def _run(self, tasks: Sequence[InferenceTask], inputs: Mapping[str, Array]) -> bool:
        """Run, log and answer one or more requests; False if the outputs of several cannot be told apart.

        Args:
            tasks: The requests, those in rows before those with tensors.
            inputs: The rows of all of them.

        Returns:
            Whether each has its outcome.
        """
        first = tasks[0].request
        wanted = first.outputs or tuple(first.signature.outputs)
        is_single = len(tasks) == 1
        counts = [task.rows for task in tasks]
        try:
            begin = time.perf_counter_ns()
            outputs = first.served.runner.run(first.signature, inputs, wanted)
            end = time.perf_counter_ns()
            if not is_single and any(value.shape[:1] != (sum(counts),) for value in outputs.values()):
                self._mixes_rows.add(_signature_key(first))
                return False
            self._counts.ran(first.served.model, first.signature.method, counts, (end - begin) / 1e3)
            outcomes = _outcomes(tasks, outputs, counts)
        except Failure as failure:
            if is_single:
                tasks[0].outcome = failure
                first.served.statistics.failed(self._clock_us() - first.caller.arrived_us)
            return is_single  # one request's bad values must not fail the others: each is run again alone
        self._count_run(tasks, counts, begin, end)
        requests = [task.request for task in tasks]
        is_later = [isinstance(one, InferenceRequest) and one.is_logged_later for one in requests]
        is_kept = [task.claim() and not later for task, later in zip(tasks, is_later, strict=True)]
        may_leave = True
        if self._capture.writes and any(is_kept):
            may_leave = self._log(requests, counts, inputs, outputs, is_kept)
        for task, outcome, later in zip(tasks, outcomes, is_later, strict=True):
            task.outcome = outcome if may_leave or later else Failure(Code.UNAVAILABLE, UNLOGGED)
        return True

    def _count_run(self, tasks: Sequence[InferenceTask], counts: list[int], begin_ns: int, end_ns: int) -> None:
        """Count a run in the statistics of its version; the next run of the same tasks begins now."""
        now_ns = time.perf_counter_ns()
        waited_us = [self._begun_us - task.request.caller.arrived_us for task in tasks]
        steps = StepTimes(begin_ns - self._begun_ns, end_ns - begin_ns, now_ns - end_ns)
        ended_us = self._begun_us + (now_ns - self._begun_ns) // 1000
        tasks[0].request.served.statistics.ran(counts, waited_us, steps, ended_us=ended_us)
        self._begun_ns, self._begun_us = now_ns, ended_us

    def _log(
        self,
        requests: Sequence[AnyRequest],
        counts: Sequence[int],
        inputs: Mapping[str, Array],
        outputs: Mapping[str, Array],
        is_kept: Sequence[bool],
    ) -> bool:
        """Log the rows of the kept requests: those whose answers leave, and leave with this batch.

        Returns:
            Whether the answers may leave; not if they could not be logged and unlogged answers are refused.
        """
        if not have_rows(sum(counts), inputs, outputs):
            # The first dimension of some tensor does not count rows: the whole request is one row.
            counts = [1]
            inputs = {name: value[np.newaxis] for name, value in inputs.items()}
            outputs = {name: np.asarray(value)[np.newaxis] for name, value in outputs.items()}
        if not all(is_kept):
            rows = np.repeat(is_kept, counts)
            inputs = {name: value[rows] for name, value in inputs.items()}
            outputs = {name: value[rows] for name, value in outputs.items()}
            requests = list(compress(requests, is_kept))
            counts = list(compress(counts, is_kept))
        first = requests[0]
        callers = [one.caller for one in requests]
        answered_us = self._clock_us()
        return self._capture.record(
            AnsweredBatch(first.served, first.signature, callers, counts, inputs, outputs, answered_us)
        )


def check_names(request: InferenceRequest) -> None:
    """Compare the inputs' names with the signature's.

    Raises:
        InvalidArgument: They differ; in TensorFlow Serving's words.
    """
    given, wanted = request.inputs.keys(), request.signature.inputs.keys()
    if given != wanted:
        raise InvalidArgument(
            f"input size does not match signature: {len(given)}!={len(wanted)} "
            f"len({_braced(given)}) != len({_braced(wanted)}). Sent extra: {_braced(given - wanted)}. "
            f"Missing but required: {_braced(wanted - given)}."
        )


def _braced(names: set[str] | Any) -> str:
    return "{" + ",".join(sorted(names)) + "}"


def _outcomes(tasks: Sequence[InferenceTask], outputs: Mapping[str, Array], counts: Sequence[int]) -> list[Outcome]:
    """The result of each request. Raises `Failure` if one cannot be written."""
    first = tasks[0].request
    if len(tasks) == 1 and isinstance(first, InferenceRequest):
        return [_outcome(first, outputs)]
    outcomes: list[Outcome] = []
    begin = 0
    if isinstance(first, RowRequest):
        row_requests = sum([isinstance(task.request, RowRequest) for task in tasks])
        if row_requests == len(tasks):
            return list(first.row_format.write(outputs, counts))
        begin = sum(counts[:row_requests])
        head = {name: value[:begin] for name, value in outputs.items()}
        outcomes += first.row_format.write(head, counts[:row_requests])
    for task in tasks[len(outcomes) :]:
        end = begin + task.rows
        outcomes.append(_outcome(task.request, {name: value[begin:end] for name, value in outputs.items()}))
        begin = end
    return outcomes


def _outcome(request: InferenceRequest, outputs: Mapping[str, Array]) -> Outcome:
    return InferenceResult(outputs=outputs) if request.write is None else request.write(outputs)


def _signature_key(request: AnyRequest) -> tuple[str, int, str]:
    return (request.served.model, request.served.number, request.signature.name)
