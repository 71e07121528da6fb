"""One request in no dialect: find the model, check the inputs, batch, run, log, answer.

The dialects (REST, Open Inference Protocol, gRPC) only translate: they make an `InferenceRequest` of their wire format
and write an `InferenceResult` back. Every decision is taken here or in the rooms below.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from itertools import compress
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, final

import numpy as np

from serving.capture.capture import AnsweredBatch
from serving.inference.batching import Batcher, BatchSettings, BatchTask
from serving.metrics.model_metrics import ModelCounts
from serving.models.named_tensors import concatenated, counts_rows, kinds_of, shared_rows
from serving.status import Code, Failure, invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence, Sized

    from serving.capture.capture import Caller, Capture
    from serving.models.named_tensors import Kinds
    from serving.models.signatures import Signature
    from serving.models.versions import ServedVersion

    Array = np.ndarray[Any, Any]


# A few bytes can say that there are 2^40 rows of nothing, each of which would have an id in the traffic log, and of
# which a graph can make as many sums. So the other dimensions of an empty tensor are bounded.
MOST_OF_NOTHING = 1 << 16


class RowFormat(Protocol):
    """How a dialect reads rows and writes their answers: in bulk, for all requests that share a run."""

    def promise(self, rows: Any, signature: Signature) -> Kinds:
        """What the tensors will be like if all rows are like the first: asked where the signature leaves it open."""

    def read_plain(self, asked: Sequence[Any], signature: Signature) -> Mapping[str, Array] | None:
        """The tensors of all requests' rows together, if every row is regular; None if any needs a closer look."""

    def read(self, rows: Any, signature: Signature) -> Mapping[str, Array]:
        """The tensors of one request. Raises `Failure` for whatever is wrong with it."""

    def write(self, outputs: Mapping[str, Array], counts: Sequence[int]) -> Sequence[bytes]:
        """One body for each request, which has so many rows. Raises `Failure` if they cannot be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceRequest:
    """A request ready for the model. Strings are object arrays of bytes."""

    served: ServedVersion
    signature: Signature
    inputs: Mapping[str, Array]
    caller: Caller
    outputs: tuple[str, ...] = ()
    """Names of the wanted outputs; none means all."""
    write: Callable[[Mapping[str, Array]], bytes] | None = None
    """Makes the answer's body beside the model, before it is logged; None leaves the tensors."""
    timeout_s: float | None = None
    """The caller's own deadline; None for the server's."""
    held: bool = False
    """Whether its answer is not logged yet: `Inference.ask_all` logs several of one caller at once, or none."""


class RowRequest(NamedTuple):
    """A request whose rows are read together with those of the requests it shares a run with.

    Reading one row of 16 columns alone costs 80 µs, and among 64 others 5. (A named tuple: one is made for every
    request.)
    """

    served: ServedVersion
    signature: Signature
    rows: Sized
    """At least one, in the dialect's own form."""
    caller: Caller
    form: RowFormat
    outputs: tuple[str, ...] = ()
    """Names of the wanted outputs; none means all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceResult:
    """What the model says: its tensors by output name."""

    outputs: Mapping[str, Array]


Asked = InferenceRequest | RowRequest
# Tensors, or the body where the question brought what writes it.
Outcome = InferenceResult | bytes
Waiting = BatchTask[Any, Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class _JoinedBatch:
    """The rows of one or more tickets in one run. Tickets of rows come before those of tensors."""

    tickets: Sequence[Waiting]
    inputs: Mapping[str, Array]


def wall_clock_us() -> int:
    """Now, in microseconds since 1970, UTC."""
    return time.time_ns() // 1000


@final
class Inference:
    """Answers questions of one event loop, one batch at a time.

    ``clock_us`` gives wall-clock time in microseconds. ``timeout_s`` None waits for ever.
    ``counts`` is told of every run.
    """

    def __init__(
        self,
        *,
        capture: Capture,
        batches: BatchSettings | None = None,
        timeout_s: float | None = 30.0,
        clock_us: Callable[[], int] = wall_clock_us,
        counts: ModelCounts | None = None,
    ) -> None:
        self._capture = capture
        if capture.waits_for_disk:  # the loop goes on while the model's thread waits
            batches = replace(batches or BatchSettings(), quick_s=0.0)
        self._batcher: Batcher[Any, Outcome] = Batcher(self._work, batches)
        self._timeout_s = timeout_s
        self._clock_us = clock_us
        self._counts = counts or ModelCounts()
        self._mixes_rows: set[tuple[str, int, str]] = set()

    async def ask(self, question: InferenceRequest) -> InferenceResult:
        """Answer one question in tensors. When this returns, the answer is in the traffic log, or counted as lost.

        Raises:
            Failure: wrong inputs, an error of the graph, too many waiting, or the deadline.
        """
        answer = await self._submit(question)
        if not isinstance(answer, InferenceResult):
            raise TypeError("A question that brings what writes its body is put, not asked.")
        return answer

    async def ask_body(self, question: InferenceRequest) -> bytes:
        """As `ask`, for a question that brings what writes its body: an answer that cannot be written is not logged."""
        body = await self._submit(question)
        if not isinstance(body, bytes):
            raise TypeError("A question without what writes its body is asked for tensors.")
        return body

    async def ask_all(
        self, questions: Sequence[InferenceRequest], write: Callable[[Sequence[InferenceResult]], bytes]
    ) -> bytes:
        """Several questions of one caller, one body: all their answers are logged, or, if one fails, none.

        Raises:
            Failure: as `ask` for the first that fails, or what ``write`` raises.
        """
        answers = [await self.ask(replace(question, held=True)) for question in questions]
        body = write(answers)
        if self._capture.writes:
            for question, answer in zip(questions, answers, strict=True):
                rows = [shared_rows(question.inputs) or 1]
                if not self._log([question], rows, question.inputs, answer.outputs, [True]):
                    raise _unlogged()
        return body

    def put(self, question: Asked, done: Callable[[Outcome | BaseException], None]) -> None:
        """As `ask`, without a task to wait in: ``done`` is called in the event loop, later, with what `ask` would do.

        Raises:
            Failure: wrong names of inputs, or too many waiting; ``done`` is not called then.
        """
        key, rows = self._place(question)
        own_s = question.timeout_s if isinstance(question, InferenceRequest) else None
        timeout_s = self._timeout_s if own_s is None else own_s
        self._batcher.put(question, key=key, rows=rows, timeout_s=timeout_s, done=done)

    @property
    def waiting(self) -> int:
        """Requests that wait for their batch."""
        return self._batcher.waiting

    def close(self) -> None:
        """End the model thread."""
        self._batcher.close()

    async def _submit(self, question: InferenceRequest) -> Outcome:
        key, rows = self._place(question)
        timeout_s = self._timeout_s if question.timeout_s is None else question.timeout_s
        return await self._batcher.submit(question, key=key, rows=rows, timeout_s=timeout_s)

    def _place(self, question: Asked) -> tuple[tuple[object, ...] | None, int]:
        """What requests must have in common to share a run (None where this one must be alone), and its rows.

        It is the same for every dialect. Rows are not read yet: they are taken to be what the signature says, or,
        where it leaves that open, what the first of them promises.
        """
        served, signature = question.served, question.signature
        together = signature.joins_requests and _name(question) not in self._mixes_rows
        kinds: Kinds | None = None
        if isinstance(question, RowRequest):
            rows: int | None = len(question.rows)
            if together and signature.kinds is None:
                kinds = question.form.promise(question.rows, signature)
        else:
            check_names(question)
            for name, value in question.inputs.items():
                if not value.size and math.prod(size or 1 for size in value.shape) > MOST_OF_NOTHING:
                    raise invalid(f"Input {name} has no value but the shape {list(value.shape)}, which is too large.")
            rows = shared_rows(question.inputs)
            if together:
                kinds = kinds_of(question.inputs)
                if kinds == signature.kinds:
                    kinds = None
        if rows is None or not together:
            return None, 1 if rows is None else rows
        return (id(served), signature.name, question.outputs, kinds), rows

    def _work(self, tickets: Sequence[Waiting]) -> None:
        """Read what is not read yet, run the batch, log it, and write its answers."""
        if isinstance(tickets[0].request, RowRequest) and len(tickets) == 1:
            unread, read = tickets, []
        else:
            unread = [ticket for ticket in tickets if isinstance(ticket.request, RowRequest)]
            read = [ticket for ticket in tickets if isinstance(ticket.request, InferenceRequest)]
        if not unread:
            self._run_together([(ticket, ticket.request.inputs) for ticket in read])
            return
        form, signature = unread[0].request.form, unread[0].request.signature
        asked = [ticket.request.rows for ticket in unread]
        inputs = form.read_plain(asked, signature)
        if inputs is not None and read:
            inputs = concatenated([inputs, *(ticket.request.inputs for ticket in read)])
        if inputs is not None and self._run(_JoinedBatch(tickets=[*unread, *read], inputs=inputs)):
            return
        alike: dict[object, list[tuple[Waiting, Mapping[str, Array]]]] = {}
        for ticket, rows in zip(unread, asked, strict=True):
            try:
                inputs = form.read(rows, signature)
            except Failure as failure:
                ticket.answer = failure
            else:
                alike.setdefault(kinds_of(inputs), []).append((ticket, inputs))
        for ticket in read:
            alike.setdefault(kinds_of(ticket.request.inputs), []).append((ticket, ticket.request.inputs))
        for group in alike.values():
            self._run_together(group)

    def _run_together(self, group: Sequence[tuple[Waiting, Mapping[str, Array]]]) -> None:
        """Run requests of equal types and inner shapes: in one run, or each by itself where that cannot be."""
        tickets = [ticket for ticket, _ in group]
        if len(group) > 1 and _name(tickets[0].request) not in self._mixes_rows:
            inputs = concatenated([one for _, one in group])
            if inputs is not None and self._run(_JoinedBatch(tickets=tickets, inputs=inputs)):
                return
        for ticket, one in group:
            self._run(_JoinedBatch(tickets=[ticket], inputs=one))

    def _run(self, joined: _JoinedBatch) -> bool:
        """Run, log and answer; False if several were joined and their answers cannot be told apart again."""
        tickets = joined.tickets
        first = tickets[0].request
        wanted = first.outputs or tuple(first.signature.outputs)
        alone = len(tickets) == 1
        counts = [ticket.rows for ticket in tickets]
        try:
            begin = time.perf_counter()
            outputs = first.served.runner.run(first.signature, joined.inputs, wanted)
            took_us = (time.perf_counter() - begin) * 1e6
            if not alone and any(value.shape[:1] != (sum(counts),) for value in outputs.values()):
                self._mixes_rows.add(_name(first))
                return False
            self._counts.ran(first.served.model, first.signature.method, counts, took_us)
            answers = _answers(tickets, outputs, counts)
        except Failure as failure:
            if alone:
                tickets[0].answer = failure
            return alone  # one request's bad values must not fail the others: each is run again by itself
        kept = [ticket.claim() and not _is_held(ticket.request) for ticket in tickets]
        leaves = True
        if self._capture.writes and any(kept):
            leaves = self._log([ticket.request for ticket in tickets], counts, joined.inputs, outputs, kept)
        for ticket, answer in zip(tickets, answers, strict=True):
            ticket.answer = answer if leaves or _is_held(ticket.request) else _unlogged()
        return True

    def _log(
        self,
        asked: Sequence[Asked],
        counts: Sequence[int],
        inputs: Mapping[str, Array],
        outputs: Mapping[str, Array],
        kept: Sequence[bool],
    ) -> bool:
        """Log the rows of the kept requests: of those whose answers leave, and leave with this batch.

        Whether they may: not if the log could not take them, and the server is to refuse them then.
        """
        if not counts_rows(sum(counts), inputs, outputs):
            # No tensor axis counts rows here: the whole request is one row, its tensors unflattened.
            counts = [1]
            inputs = {name: value[np.newaxis] for name, value in inputs.items()}
            outputs = {name: np.asarray(value)[np.newaxis] for name, value in outputs.items()}
        if not all(kept):
            rows = np.repeat(kept, counts)
            inputs = {name: value[rows] for name, value in inputs.items()}
            outputs = {name: value[rows] for name, value in outputs.items()}
            asked = list(compress(asked, kept))
            counts = list(compress(counts, kept))
        first = asked[0]
        callers = [one.caller for one in asked]
        answered_us = self._clock_us()
        return self._capture.record(
            AnsweredBatch(first.served, first.signature, callers, counts, inputs, outputs, answered_us)
        )


def check_names(question: InferenceRequest) -> None:
    """Compare the inputs' names with the signature's. Raises `Failure` in TensorFlow Serving's words."""
    given, wanted = question.inputs.keys(), question.signature.inputs.keys()
    if given != wanted:
        raise invalid(
            f"input size does not match signature: {len(given)}!={len(wanted)} "
            f"len({_braced(given)}) != len({_braced(wanted)}). Sent extra: {_braced(given - wanted)}. "
            f"Missing but required: {_braced(wanted - given)}."
        )


def _braced(names: set[str] | Any) -> str:
    return "{" + ",".join(sorted(names)) + "}"


def _answers(tickets: Sequence[Waiting], outputs: Mapping[str, Array], counts: Sequence[int]) -> list[Outcome]:
    """What each request is told. Raises `Failure` if it cannot be written."""
    first = tickets[0].request
    if len(tickets) == 1 and isinstance(first, InferenceRequest):
        return [_answer(first, outputs)]
    answers: list[Outcome] = []
    begin = 0
    if isinstance(first, RowRequest):
        in_rows = sum([isinstance(ticket.request, RowRequest) for ticket in tickets])
        if in_rows == len(tickets):
            return list(first.form.write(outputs, counts))
        begin = sum(counts[:in_rows])
        head = {name: value[:begin] for name, value in outputs.items()}
        answers += first.form.write(head, counts[:in_rows])
    for ticket in tickets[len(answers) :]:
        end = begin + ticket.rows
        answers.append(_answer(ticket.request, {name: value[begin:end] for name, value in outputs.items()}))
        begin = end
    return answers


def _answer(question: InferenceRequest, outputs: Mapping[str, Array]) -> Outcome:
    return InferenceResult(outputs=outputs) if question.write is None else question.write(outputs)


def _unlogged() -> Failure:
    return Failure(Code.UNAVAILABLE, "The traffic log cannot be written, and answers that are not logged are refused")


def _is_held(question: Asked) -> bool:
    return isinstance(question, InferenceRequest) and question.held


def _name(question: Asked) -> tuple[str, int, str]:
    return (question.served.model, question.served.number, question.signature.name)
