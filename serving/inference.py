"""One request in no dialect: find the model, check the inputs, batch, run, log, answer.

The dialects (REST, and others to come) only translate: they build a `Question` from their wire format and write an
`Answer` back. Everything that decides something is here or below.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from serving.batching import Batcher, BatchSettings
from serving.capture import AnsweredBatch
from serving.status import Failure, invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from serving.batching import Ticket
    from serving.capture import Caller, Capture
    from serving.signatures import Signature
    from serving.versions import Served

    Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request ready for the model. Strings are object arrays of bytes."""

    served: Served
    signature: Signature
    inputs: Mapping[str, Array]
    caller: Caller
    outputs: tuple[str, ...] = ()
    """Names of the wanted outputs; none means all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the model says: its tensors by output name."""

    outputs: Mapping[str, Array]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Joined:
    """The rows of one or more tickets in one run."""

    tickets: Sequence[Ticket[Question, Answer]]
    inputs: Mapping[str, Array]


def wall_clock_us() -> int:
    """Now, in microseconds since 1970, UTC."""
    return time.time_ns() // 1000


@final
class Inference:
    """Answers questions of one event loop, batching them through one model thread.

    ``clock_us`` gives wall-clock time in microseconds. ``timeout_s`` None waits for ever.
    """

    def __init__(
        self,
        *,
        capture: Capture,
        batches: BatchSettings | None = None,
        timeout_s: float | None = 30.0,
        clock_us: Callable[[], int] = wall_clock_us,
    ) -> None:
        self._capture = capture
        self._batcher: Batcher[Question, Answer] = Batcher(self._work, batches)
        self._timeout_s = timeout_s
        self._clock_us = clock_us
        self._mixes_rows: set[tuple[str, int, str]] = set()

    async def ask(self, question: Question) -> Answer:
        """Answer one question. When this returns, the answer is in the traffic log, or counted as lost.

        Raises:
            Failure: wrong inputs, an error of the graph, too many waiting, or the deadline.
        """
        check_names(question)
        rows = _shared_rows(question.inputs)
        return await self._batcher.submit(
            question, key=self._key(question, rows), rows=1 if rows is None else rows, timeout_s=self._timeout_s
        )

    def close(self) -> None:
        """End the model thread."""
        self._batcher.close()

    def _key(self, question: Question, rows: int | None) -> tuple[object, ...] | None:
        """What requests must have in common to share a run; None where this one must be alone."""
        served, signature = question.served, question.signature
        if rows is None or not signature.joins_requests or _name(question) in self._mixes_rows:
            return None
        inner = tuple((name, value.dtype, value.shape[1:]) for name, value in question.inputs.items())
        return (served.model, served.number, id(served), signature.name, question.outputs, inner)

    def _work(self, tickets: Sequence[Ticket[Question, Answer]]) -> None:
        """Run a batch; in the model thread."""
        if len(tickets) > 1 and _name(tickets[0].request) not in self._mixes_rows:
            names = tickets[0].request.inputs
            inputs = {name: np.concatenate([ticket.request.inputs[name] for ticket in tickets]) for name in names}
            if self._run(_Joined(tickets=tickets, inputs=inputs)):
                return
        for ticket in tickets:
            self._run(_Joined(tickets=[ticket], inputs=ticket.request.inputs))

    def _run(self, joined: _Joined) -> bool:
        """Run, log and answer; False if several were joined and their answers cannot be told apart again."""
        tickets = joined.tickets
        first = tickets[0].request
        wanted = first.outputs or tuple(first.signature.outputs)
        alone = len(tickets) == 1
        try:
            outputs = first.served.runner.run(first.signature, joined.inputs, wanted)
        except Failure as failure:
            if alone:
                tickets[0].answer = failure
            return alone  # one request's bad values must not fail the others: each is run again by itself
        counts = [_rows_of(ticket) for ticket in tickets]
        if not alone and any(value.shape[:1] != (sum(counts),) for value in outputs.values()):
            self._mixes_rows.add(_name(first))
            return False
        claimed = [ticket.claim() for ticket in tickets]
        self._log(joined, outputs, claimed)
        if alone:
            tickets[0].answer = Answer(outputs=outputs)
            return True
        start = 0
        for ticket, count in zip(tickets, counts, strict=True):
            ticket.answer = Answer(outputs={name: value[start : start + count] for name, value in outputs.items()})
            start += count
        return True

    def _log(self, joined: _Joined, outputs: Mapping[str, Array], claimed: Sequence[bool]) -> None:
        """Log the rows whose answers leave; a request that gave up meanwhile is left out."""
        if not self._capture.writes or not any(claimed):
            return
        inputs = joined.inputs
        counts = [_rows_of(ticket) for ticket in joined.tickets]
        if {_shared_rows(inputs), _shared_rows(outputs)} != {sum(counts)}:
            # No tensor axis counts rows here: the whole request is one row, its tensors unflattened.
            counts = [1]
            inputs = {name: value[np.newaxis] for name, value in inputs.items()}
            outputs = {name: np.asarray(value)[np.newaxis] for name, value in outputs.items()}
        if not all(claimed):
            kept = np.repeat(claimed, counts)
            inputs = {name: value[kept] for name, value in inputs.items()}
            outputs = {name: value[kept] for name, value in outputs.items()}
        first = joined.tickets[0].request
        self._capture.record(
            AnsweredBatch(
                served=first.served,
                signature=first.signature,
                callers=[ticket.request.caller for ticket, kept in zip(joined.tickets, claimed, strict=True) if kept],
                counts=[count for count, kept in zip(counts, claimed, strict=True) if kept],
                inputs=inputs,
                outputs=outputs,
                answered_us=self._clock_us(),
            )
        )


def check_names(question: Question) -> None:
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


def _name(question: Question) -> tuple[str, int, str]:
    return (question.served.model, question.served.number, question.signature.name)


def _rows_of(ticket: Ticket[Question, Answer]) -> int:
    return ticket.rows


def _shared_rows(tensors: Mapping[str, Array]) -> int | None:
    """The leading dimension that all tensors share; None if a tensor has none, or they differ."""
    leading = {np.shape(value)[:1] for value in tensors.values()}
    return next(iter(leading))[0] if len(leading) == 1 and () not in leading else None
