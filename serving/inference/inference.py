"""One request in no dialect: check the inputs, batch, run, log, answer.

The dialects (REST, Open Inference Protocol, gRPC) only translate: they make an `InferenceRequest` of their wire format
and write an `InferenceResult` back. Every decision is taken here or in the rooms below.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, final

from serving.capture.capture import Capture
from serving.inference.answer_log import UNLOGGED, AnswerLog
from serving.inference.batch_runner import BatchRunner
from serving.inference.batching import Batcher, BatchTask
from serving.inference.requests import AnyRequest, InferenceRequest, InferenceResult, Outcome, RowRequest
from serving.inference.run_bytes import RunBytes, RunKey, RunMemory
from serving.inference.run_pool import RunPool
from serving.inference.timestamps import wall_clock_us
from serving.metrics.model_metrics import ModelCounts
from serving.models.batch_settings import BatchSettings
from serving.models.named_tensors import TensorTypes, shared_rows, types_of
from serving.models.served_version import ServedVersion
from serving.status import Code, Failure, InvalidArgument
from serving.transport.http_settings import HttpSettings
from serving.transport.limits import ConnectionLimiter

#: Bound on the other dimensions of a tensor without values. A few bytes can stand for 2^40 empty rows, each of which
#: would have an id in the traffic log, and of which a graph can make as many sums.
MAX_EMPTY_SIZE = 1 << 12


class _Queue(NamedTuple):
    """What one version's requests wait in, and what runs them."""

    batcher: Batcher[Any, Outcome]
    runner: BatchRunner


@final
class Inference:
    """Answers the requests of one event loop. Each version has one batch at a time; no model waits for another.

    Args:
        batches: Limits of the batches of versions that have none of their own.
        timeout_s: The server's deadline of a request in seconds; None waits without end.
        limiter: Counts the bytes of requests and answers, of which each run reserves what it will take; None for one of
            its own.
    """

    def __init__(
        self,
        *,
        capture: Capture,
        batches: BatchSettings | None = None,
        timeout_s: float | None = 30.0,
        counts: ModelCounts | None = None,
        clock_us: Callable[[], int] = wall_clock_us,
        limiter: ConnectionLimiter | None = None,
    ) -> None:
        self.limiter = limiter or HttpSettings().limiter()
        """Counts the bytes of requests and answers."""
        self._memory = RunMemory(self.limiter)
        self._log = AnswerLog(capture, clock_us)
        self._waits_for_disk = capture.waits_for_disk
        self._batches = batches or BatchSettings()
        self._timeout_s = timeout_s
        self._clock_us = clock_us
        self._counts = counts or ModelCounts()
        self._pool = RunPool(self._batches.runs)
        self._queues: dict[ServedVersion, _Queue] = {}

    async def infer(self, request: InferenceRequest) -> InferenceResult:
        """Answer one request in tensors. When this returns, the answer is in the traffic log, or counted as lost.

        Args:
            request: One that has no ``write``.

        Raises:
            TypeError: The request has a ``write``.
        """
        result = await self._wait_for(request)
        if not isinstance(result, InferenceResult):
            raise TypeError("A request that has what writes its body gives a body, not tensors.")
        return result

    async def infer_all(
        self, requests: Sequence[InferenceRequest], write: Callable[[Sequence[InferenceResult]], bytes]
    ) -> bytes:
        """Several requests of one caller, one body: all their answers are logged, or, if one fails, none."""
        results = [await self.infer(replace(request, is_logged_later=True)) for request in requests]
        body = write(results)
        if self._log.writes:
            for request, result in zip(requests, results, strict=True):
                rows = [shared_rows(request.inputs) or 1]
                if not self._log.write([request], rows, request.inputs, result.outputs, [True]):
                    raise Failure(Code.UNAVAILABLE, UNLOGGED)
        return body

    def submit(
        self, request: AnyRequest, done: Callable[[Outcome | BaseException], None]
    ) -> BatchTask[AnyRequest, Outcome]:
        """As `infer`, without an asyncio task. `request`: with or without a ``write``."""
        queue = self._queues.get(request.served) or self._open_queue(request.served)
        key, rows = _batch_key(request, queue.runner.mixes_rows)
        own_s = request.timeout_s if isinstance(request, InferenceRequest) else None
        timeout_s = self._timeout_s if own_s is None else own_s
        return queue.batcher.submit(request, key=key, rows=rows, timeout_s=timeout_s, done=done)

    @property
    def max_batch_rows(self) -> int:
        """The most rows of requests that share a batch, for versions without batching parameters of their own."""
        return self._batches.max_rows

    @property
    def waiting(self) -> int:
        """The number of requests that wait for their batch."""
        return sum([queue.batcher.waiting for queue in self._queues.values()])

    def close(self) -> None:
        """End the models' threads."""
        self._pool.close()

    async def _wait_for(self, request: InferenceRequest) -> Outcome:
        queue = self._queues.get(request.served) or self._open_queue(request.served)
        key, rows = _batch_key(request, queue.runner.mixes_rows)
        timeout_s = self._timeout_s if request.timeout_s is None else request.timeout_s
        return await queue.batcher.submit_and_wait(request, key=key, rows=rows, timeout_s=timeout_s)

    def _open_queue(self, served: ServedVersion) -> _Queue:
        """A version's first request opens its queue; those of unloaded versions go."""
        for other, queue in list(self._queues.items()):
            if other.is_unloading and queue.batcher.is_idle:
                del self._queues[other]
        settings = served.runner.batching or self._batches
        if self._waits_for_disk:  # the loop goes on while the model's thread waits
            settings = replace(settings, quick_s=0.0)
        room = RunBytes(served.runner.signatures, self._memory)
        runner = BatchRunner(self._log, settings, self._counts, self._clock_us, room)
        batcher: Batcher[Any, Outcome] = Batcher(runner.run_tasks, settings, pool=self._pool, room=room)
        queue = self._queues[served] = _Queue(batcher, runner)
        return queue


def _batch_key(request: AnyRequest, mixes_rows: Container[str]) -> tuple[RunKey | None, int]:
    """What requests must have in common to share a run; the same for every dialect.

    Rows are not read yet: their types are taken to be the signature's, or, where it leaves them open, those that
    the first row gives.

    Returns:
        The key, None if the request must run alone; and its number of rows.
    """
    signature = request.signature
    is_batchable = signature.is_batchable and signature.name not in mixes_rows
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
    return RunKey(signature.name, request.outputs, types), rows


def check_names(request: InferenceRequest) -> None:
    """Compare the inputs' names with the signature's."""
    names, wanted = request.inputs.keys(), request.signature.inputs.keys()
    if names != wanted:
        raise InvalidArgument(
            f"input size does not match signature: {len(names)}!={len(wanted)} "
            f"len({_braced(names)}) != len({_braced(wanted)}). Sent extra: {_braced(names - wanted)}. "
            f"Missing but required: {_braced(wanted - names)}."
        )


def _braced(names: set[str] | Any) -> str:
    return "{" + ",".join(sorted(names)) + "}"
