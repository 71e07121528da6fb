"""Runs the batches of one version: read the rows, run the graph, log, and write the answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, final

import numpy as np

from serving.inference.answer_log import UNLOGGED, AnswerLog
from serving.inference.batching import BatchTask
from serving.inference.requests import AnyRequest, InferenceRequest, InferenceResult, Outcome, RowRequest
from serving.inference.run_bytes import RunBytes, tensor_bytes
from serving.metrics.model_metrics import ModelCounts
from serving.metrics.version_statistics import StepTimes
from serving.models.batch_settings import BatchSettings
from serving.models.named_tensors import concatenate, shared_rows, types_of
from serving.status import Code, Failure

Array = np.ndarray[Any, Any]
Run = Callable[[Mapping[str, Array]], Mapping[str, Array]]


# For graphs that are compiled, or tuned, for each size. As in TensorFlow Serving, copies of a row of the batch fill
# the places that are left, and what the graph answers for them is left out.
def run_filled(run: Run, inputs: Mapping[str, Array], settings: BatchSettings) -> Mapping[str, Array] | None:
    """Run the rows in parts of allowed sizes.

    >>> from serving.models.batch_settings import BatchSettings
    >>> def run(part):
    ...     print(part["x"].tolist())
    ...     return {"y": 2 * part["x"]}
    >>> settings = BatchSettings(max_rows=8, allowed_rows=(2, 4), max_run_rows=4)
    >>> run_filled(run, {"x": np.arange(7)}, settings)
    [0, 1, 2, 3]
    [4, 5, 6, 6]
    {'y': array([ 0,  2,  4,  6,  8, 10, 12])}

    Returns:
        The outputs; None if there is no row to run, or the outputs are not one row for each row of the inputs.
    """
    rows = shared_rows(inputs)
    if not rows:
        return None
    at_once = settings.max_run_rows or rows
    parts: list[Mapping[str, Array]] = []
    for begin in range(0, rows, at_once):
        part = {name: value[begin : begin + at_once] for name, value in inputs.items()}
        count = min(at_once, rows - begin)
        size = next((size for size in settings.allowed_rows if size >= count), count)
        if size > count:
            part = {name: np.concatenate([v, np.repeat(v[-1:], size - count, axis=0)]) for name, v in part.items()}
        outputs = run(part)
        if any(value.shape[:1] != (size,) for value in outputs.values()):
            return None
        parts.append({name: value[:count] for name, value in outputs.items()})
    return concatenate(parts)


InferenceTask = BatchTask[Any, Outcome]


@final
class BatchRunner:
    """Runs one version. `run_tasks` may be called from any thread, but not again before it has returned."""

    def __init__(
        self, log: AnswerLog, settings: BatchSettings, counts: ModelCounts, clock_us: Callable[[], int], room: RunBytes
    ) -> None:
        self._log = log
        self._room = room
        self._settings = settings
        self._counts = counts
        self._clock_us = clock_us
        self._fills = bool(settings.allowed_rows or settings.max_run_rows)
        self._begun_ns, self._begun_us = 0, 0
        self.mixes_rows: set[str] = set()
        """Signatures whose outputs have no row for each row of the inputs: their requests run alone."""

    def run_tasks(self, tasks: Sequence[InferenceTask]) -> None:
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
        if len(group) > 1 and tasks[0].request.signature.name not in self.mixes_rows:
            inputs = concatenate([tensors for _, tensors in group])
            if inputs is not None and self._run(tasks, inputs):
                return
        for task, tensors in group:
            self._run([task], tensors)

    def _run(self, tasks: Sequence[InferenceTask], inputs: Mapping[str, Array]) -> bool:
        """Run, log and answer one or more requests; False if the outputs of several cannot be told apart."""
        first = tasks[0].request
        wanted = first.outputs or tuple(first.signature.outputs)
        is_single = len(tasks) == 1
        counts = [task.rows for task in tasks]
        try:
            begin = time.perf_counter_ns()
            outputs = self._outputs(first, wanted, inputs)
            end = time.perf_counter_ns()
            if not is_single and any(value.shape[:1] != (sum(counts),) for value in outputs.values()):
                self.mixes_rows.add(first.signature.name)
                return False
            self._counts.ran(first.served.model, first.signature.method, counts, (end - begin) / 1e3)
            outcomes = _outcomes(tasks, outputs, counts)
        except Failure as failure:
            if is_single:
                tasks[0].outcome = failure
                first.served.statistics.failed(self._clock_us() - first.caller.arrived_us)
            return is_single  # one request's bad values must not fail the others: each is run again alone
        self._count_run(tasks, counts, begin, end)
        key, rows = tasks[0].key, sum(counts)
        if self._room.is_measured(key, rows):
            self._measure(key, rows, (inputs, outputs), outcomes)
        requests = [task.request for task in tasks]
        is_later = [isinstance(request, InferenceRequest) and request.is_logged_later for request in requests]
        is_kept = [task.claim() and not later for task, later in zip(tasks, is_later, strict=True)]
        may_leave = True
        if self._log.writes and any(is_kept):
            may_leave = self._log.write(requests, counts, inputs, outputs, is_kept)
        for task, outcome, later in zip(tasks, outcomes, is_later, strict=True):
            task.outcome = outcome if may_leave or later else Failure(Code.UNAVAILABLE, UNLOGGED)
        return True

    def _outputs(self, request: AnyRequest, wanted: Sequence[str], inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        run, signature = request.served.runner.run, request.signature
        if self._fills and signature.is_batchable and signature.name not in self.mixes_rows:
            outputs = run_filled(lambda part: run(signature, part, wanted), inputs, self._settings)
            if outputs is not None:
                return outputs
        return run(signature, inputs, wanted)

    def _measure(
        self, key: Hashable, rows: int, tensors: Sequence[Mapping[str, Array]], outcomes: Sequence[Outcome]
    ) -> None:
        """What a run took: its tensors, once more in the log, and the answers, which have the contents of texts."""
        written = sum([len(outcome) for outcome in outcomes if isinstance(outcome, bytes)])
        held = (1 + self._log.writes) * sum(map(tensor_bytes, tensors))
        self._room.measured(key, rows, taken=held + 2 * written, written=written)

    def _count_run(self, tasks: Sequence[InferenceTask], counts: list[int], begin_ns: int, end_ns: int) -> None:
        """Count a run in the statistics of its version; the next run of the same tasks begins now."""
        now_ns = time.perf_counter_ns()
        waited_us = [self._begun_us - task.request.caller.arrived_us for task in tasks]
        steps = StepTimes(begin_ns - self._begun_ns, end_ns - begin_ns, now_ns - end_ns)
        ended_us = self._begun_us + (now_ns - self._begun_ns) // 1000
        tasks[0].request.served.statistics.ran(counts, waited_us, steps, ended_us=ended_us)
        self._begun_ns, self._begun_us = now_ns, ended_us


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
