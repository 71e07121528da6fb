"""Requests to models, timed and counted, and what a defect of ours looks like to a client."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serving.status import Code, Failure
from serving.transport.http_response import HttpResponse, error_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from serving.metrics.metrics import Metrics
    from serving.models.versions import Models

    Done = Callable[[HttpResponse | BaseException], None]

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestMetrics:
    """Runs what answers a request, and counts how it ended."""

    models: Models
    metrics: Metrics

    def run(
        self, start: Callable[[Done], None], *, model: str, verb: str, reply: Callable[[HttpResponse], None]
    ) -> None:
        """Call ``start`` with what it tells its response or failure to, now or later; ``reply`` is called once."""
        started = time.perf_counter()

        def done(outcome: HttpResponse | BaseException) -> None:
            if isinstance(outcome, HttpResponse):
                status, response = "OK", outcome
            else:
                failure = outcome if isinstance(outcome, Failure) else _defect(model, outcome)
                status, response = failure.code.name, error_response(failure)
            known = model if self.models.knows(model) else ""
            elapsed_us = (time.perf_counter() - started) * 1e6
            self.metrics.count(model=known, verb=verb, status=status, latency_us=elapsed_us)
            reply(response)

        try:
            start(done)
        except (Failure, ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
            done(error)


def _defect(model: str, error: BaseException) -> Failure:
    """The client gets TensorFlow Serving's code for it, the operator the traceback."""
    _logger.error("A request to %s failed by a defect of the server.", model, exc_info=error)
    return Failure(Code.INTERNAL, f"Internal error: {type(error).__name__}")
