"""Requests are counted by model and status, and errors become responses."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from serving.metrics.metrics import REQUEST_COUNT, REQUEST_LATENCY, ServerMetrics, TrafficCounts
from serving.status import Code, Failure, InvalidArgument
from serving.transport.http_response import HttpResponse
from serving.transport.request_metrics import RequestMetrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from serving.models.versions import Models
    from serving.transport.request_metrics import Done

OK = HttpResponse(200, b"{}")


def measured(models: Models, start: Callable[[Done], None], model: str) -> tuple[HttpResponse, list[str]]:
    """The response, and the samples of requests on the page."""
    metrics = ServerMetrics()
    replies: list[HttpResponse] = []
    RequestMetrics(models=models, metrics=metrics).measure(start, model=model, verb="predict", reply=replies.append)
    lines = metrics.page(TrafficCounts()).splitlines()
    wanted = (f"{REQUEST_COUNT}{{", f"{REQUEST_LATENCY}_count{{")
    (reply,) = replies
    return reply, [line for line in lines if line.startswith(wanted)]


def test_a_response_counts_as_ok_with_its_latency(models: Models) -> None:
    reply, lines = measured(models, lambda done: done(OK), "half_plus_two")
    assert reply == OK
    assert lines == [
        f'{REQUEST_COUNT}{{model_name="half_plus_two",status="OK"}} 1',
        f'{REQUEST_LATENCY}_count{{model_name="half_plus_two",API="predict",entrypoint="REST"}} 1',
    ]


@pytest.mark.parametrize("is_raised", [True, False])
def test_a_failure_counts_under_its_code_raised_or_told_later(models: Models, *, is_raised: bool) -> None:
    failure = Failure(Code.UNAVAILABLE, "full")

    def start(done: Done) -> None:
        if is_raised:
            raise failure
        done(failure)

    reply, lines = measured(models, start, "half_plus_two")
    assert (reply.status, reply.body) == (503, b'{\n    "error": "full"\n}')
    assert lines == [f'{REQUEST_COUNT}{{model_name="half_plus_two",status="UNAVAILABLE"}} 1']


def test_unknown_models_have_no_label_of_their_own(models: Models) -> None:
    def start(_: Done) -> None:
        raise InvalidArgument("wrong")

    _, lines = measured(models, start, "made up by a client")
    assert lines == [f'{REQUEST_COUNT}{{model_name="",status="INVALID_ARGUMENT"}} 1']


def test_a_defect_is_internal_to_the_client_and_a_traceback_to_the_operator(
    models: Models, caplog: pytest.LogCaptureFixture
) -> None:
    def start(_: Done) -> None:
        raise ZeroDivisionError("secret")

    with caplog.at_level(logging.ERROR):
        reply, lines = measured(models, start, "half_plus_two")
    assert (reply.status, b"secret" in reply.body, b"ZeroDivisionError" in reply.body) == (500, False, True)
    assert lines == [f'{REQUEST_COUNT}{{model_name="half_plus_two",status="INTERNAL"}} 1']
    (record,) = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError
