"""How a call's answer is begun: by one run of a model, without a task of asyncio's, or by a coroutine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from serving.grpc_api.call import GrpcCall

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from serving.inference.inference import Inference
    from serving.inference.requests import InferenceRequest, InferenceResult
    from serving.models.served_version import ServedVersion

#: Called once, later, in the event loop, with the response's message, its bytes, or an error.
Done = Callable[[Any], None]
#: Given a request, its call and `Done`, starts the answer, or raises `Failure`; gives what cancels it.
Start = Callable[[Any, GrpcCall, Done], Callable[[], object]]


class InferenceHandler(Protocol):
    """Translates requests of one kind."""

    def acquire(self, request: Any, call: GrpcCall) -> tuple[ServedVersion, GrpcCall]:
        """Find the version that answers a request, and take a lease on it. Raises `Failure`."""

    def prepare(self, request: Any, served: ServedVersion, call: GrpcCall) -> InferenceRequest:
        """Read a request. Returns what is asked of the version, with what writes the response's bytes."""


def by_inference(inference: Inference, handler: InferenceHandler) -> Start:
    """Answer by one run of a model: a task and a future for each call would take a tenth of its processor time."""

    def start(request: Any, call: GrpcCall, done: Done) -> Callable[[], object]:
        served, call = handler.acquire(request, call)

        def finish(outcome: InferenceResult | bytes | BaseException) -> None:
            served.release()
            done(outcome)

        task = None
        try:
            task = inference.submit(handler.prepare(request, served, call), finish)
        finally:
            if task is None:
                served.release()

        def cancel() -> None:
            task.cancel()
            served.release()

        return cancel

    return start


def by_coroutine(answer: Callable[[Any, GrpcCall], Awaitable[Any]]) -> Start:
    """Answer by a coroutine, in a task of its own."""

    def start(request: Any, call: GrpcCall, done: Done) -> Callable[[], object]:
        task = asyncio.ensure_future(answer(request, call))

        def finish(ended: asyncio.Future[Any]) -> None:
            if not ended.cancelled():
                error = ended.exception()
                done(ended.result() if error is None else error)

        task.add_done_callback(finish)
        return task.cancel

    return start
