"""Writes answered requests to the traffic log, before the answers leave."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import compress
from typing import Any, final

import numpy as np

from serving.capture.capture import AnsweredBatch, Capture
from serving.inference.requests import AnyRequest
from serving.models.named_tensors import have_rows

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
        callers = [request.caller for request in requests]
        return self._capture.record(
            AnsweredBatch(first.served, first.signature, callers, counts, inputs, outputs, self._clock_us())
        )
