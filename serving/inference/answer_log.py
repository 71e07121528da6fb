"""Writes answered requests to the traffic log, before the answers leave."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import compress
from typing import Any, final

import numpy as np

from serving.capture.capture import AnsweredBatch, Capture
from serving.inference.requests import AnyRequest
from serving.models.named_tensors import have_rows
from serving.models.signatures import Signature

Array = np.ndarray[Any, Any]

UNLOGGED = "The traffic log cannot be written, and answers that are not logged are refused"


@final
class AnswerLog:
    """Logs the answers of any model. Thread-safe. `clock_us`: wall-clock time in microseconds since 1970."""

    def __init__(self, capture: Capture, clock_us: Callable[[], int]) -> None:
        self._capture = capture
        self._clock_us = clock_us

    @property
    def writes(self) -> bool:
        """Whether there is any log."""
        return self._capture.writes

    def write(
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
        inputs = _with_scalars(inputs, first.signature)
        callers = [request.caller for request in requests]
        return self._capture.record(
            AnsweredBatch(first.served, first.signature, callers, counts, inputs, outputs, self._clock_us())
        )


def _with_scalars(inputs: Mapping[str, Array], signature: Signature) -> Mapping[str, Array]:
    """Inputs with one value a row where the signature has one, though a client sent a list of one: [n, 1] as [n].

    Some graphs take both. A row means the same in both, and is logged the same.
    """
    lists = [
        name
        for name, value in inputs.items()
        if value.ndim == 2
        and value.shape[1] == 1
        and name in signature.inputs
        and signature.inputs[name].shape == (-1,)
    ]
    return inputs if not lists else {**inputs, **{name: inputs[name][:, 0] for name in lists}}
