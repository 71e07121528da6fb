"""Times and counts requests to models, and answers those that fail."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serving.status import Code, Failure
from serving.transport.http_response import HttpResponse, error_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from serving.metrics.metrics import ServerMetrics
    from serving.models.versions import Models

    Done = Callable[[HttpResponse | BaseException], None]

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestMetrics:
    """Counts requests by model and status, and measures their latency."""

    models: Models
    metrics: ServerMetrics

    def measure(
        self, start: Callable[[Done], None], *, model: str, verb: str, reply: Callable[[HttpResponse], None]
    ) -> None:
        """Answer a request and count its outcome. `verb`: of the metrics' label ``API``."""
        started = time.perf_counter()

        def done(outcome: HttpResponse | BaseException) -> None:
            if isinstance(outcome, HttpResponse):
                status, response = "OK", outcome
            else:
                failure = outcome if isinstance(outcome, Failure) else _internal_error(model, outcome)
                status, response = failure.code.name, error_response(failure)
            model_label = model if self.models.knows(model) else ""
            elapsed_us = (time.perf_counter() - started) * 1e6
            self.metrics.count(model=model_label, verb=verb, status=status, latency_us=elapsed_us)
            reply(response)

        try:
            start(done)
        except (Failure, ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
            done(error)


def _internal_error(model: str, error: BaseException) -> Failure:
    """The client gets TensorFlow Serving's code for a defect, the operator the traceback."""
    _logger.error("A request to %s failed by a defect of the server.", model, exc_info=error)
    return Failure(Code.INTERNAL, f"Internal error: {type(error).__name__}")
