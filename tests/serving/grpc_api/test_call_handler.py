"""Every call: its id, event time, deadline, metrics, and the messages of its errors."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import grpc
import numpy as np
import pytest

from serving.models.batch_settings import BatchSettings
from tests.serving.grpc_api.conftest import predict_request
from tests.serving.memory_log import BlockedLog, MemoryLog

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.serving.grpc_api.conftest import OpenSite, Site


def floats(*values: float) -> np.ndarray[Any, Any]:
    return np.array(values, np.float32)


def failure(site: Site, request: Any, **options: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        site.predictions.Predict(request, **options)
    return caught.value.code(), caught.value.details()


def test_ids_and_times_reach_the_log_and_the_id_comes_back(open_site: OpenSite) -> None:
    log = MemoryLog()
    request = predict_request("half_plus_two", {"x": floats(1, 2)})
    metadata = (("x-request-id", "r:1"), ("x-event-time", "2013-04-01T05:15:00-04:00"))
    with open_site(writer=log) as site:
        _, call = site.predictions.Predict.with_call(request, metadata=metadata)
        assert dict(call.trailing_metadata())["x-request-id"] == "r:1"
        _, call = site.predictions.Predict.with_call(request)
        own = dict(call.trailing_metadata())["x-request-id"]
        code, text = failure(site, request, metadata=(("x-request-id", "two words"),))
        assert (code, text.startswith("X-Request-Id must be ")) == (grpc.StatusCode.INVALID_ARGUMENT, True)
        code, text = failure(site, request, metadata=(("x-event-time", "yesterday"),))
        assert (code, text.startswith("X-Event-Time must be ")) == (grpc.StatusCode.INVALID_ARGUMENT, True)
    assert log.request_ids == ["r:1", "r:1", own, own]
    assert own[14] == "7"
    rows = log.appends[0]
    assert (rows.model, rows.version, rows.signature) == ("half_plus_two", 123, "serving_default")
    assert list(rows.event_times_us) == [1_364_807_700_000_000] * 2
    assert rows.inputs["x"].tolist() == [1.0, 2.0]
    assert rows.outputs["y"].tolist() == [2.5, 3.0]


def test_bytes_that_are_not_a_message_are_refused(site: Site) -> None:
    send = site.channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
    with pytest.raises(grpc.RpcError) as caught:
        send(b"\xff\xff")
    assert caught.value.code() == grpc.StatusCode.INTERNAL
    assert caught.value.details() == "The request is not a tensorflow.serving.PredictRequest message."


def test_long_texts_are_cut(site: Site) -> None:
    code, text = failure(site, predict_request("m" * 3000, {}))
    assert (code, len(text), text[-12:]) == (grpc.StatusCode.NOT_FOUND, 1036, "...TRUNCATED")


def metrics(site: Site) -> str:
    return site.website.send("GET", "/monitoring/prometheus/metrics").body.decode()


def given_up_calls(site: Site) -> int:
    """Calls that ended before their answers: at a deadline the client's cancelling and the server's clock race."""
    counted = re.findall(r':request_count\{[^}]*status="(?:CANCELLED|DEADLINE_EXCEEDED)"\} (\d+)', metrics(site))
    return sum(map(int, counted))


def until(happened: Callable[[], bool]) -> None:
    """Ask again and again until it has, or half a minute is over."""
    for _ in range(3000):
        if happened():
            return
        time.sleep(0.01)
    raise AssertionError("it has not happened within half a minute")


def test_a_request_that_misses_its_deadline_in_the_queue_fails_and_is_not_logged(open_site: OpenSite) -> None:
    log = BlockedLog()
    request = predict_request("half_plus_two", {"x": floats(1)})
    with open_site(writer=log, batches=BatchSettings(quick_s=0)) as site:
        first = site.predictions.Predict.future(request, metadata=(("x-request-id", "first"),))
        assert log.is_blocked.wait(30)
        waiting = site.inference.waiting
        late = site.predictions.Predict.future(request, timeout=2, metadata=(("x-request-id", "late"),))
        until(lambda: site.inference.waiting > waiting)
        assert late.exception(30).code() == grpc.StatusCode.DEADLINE_EXCEEDED
        until(lambda: given_up_calls(site) == 1)
        waiting = site.inference.waiting
        given_up = site.predictions.Predict.future(request, metadata=(("x-request-id", "given-up"),))
        until(lambda: site.inference.waiting > waiting)
        given_up.cancel()
        until(lambda: given_up_calls(site) == 2)  # the server has heard of it
        log.unblock.set()
        assert first.result(30).model_spec.version.value == 123
        site.predictions.Predict(request, timeout=60, metadata=(("x-request-id", "in-time"),))
    assert log.request_ids == ["first", "in-time"]


def test_metrics_count_calls_under_their_own_entrypoint(open_site: OpenSite) -> None:
    with open_site() as site:
        site.predictions.Predict(predict_request("half_plus_two", {"x": floats(1)}))
        failure(site, predict_request("half_plus_two", {}))
        failure(site, predict_request("nobody", {}))
        lines = site.website.send("GET", "/monitoring/prometheus/metrics").body.decode().splitlines()
    count = ":tensorflow:serving:request_count"
    assert f'{count}{{model_name="half_plus_two",status="OK"}} 1' in lines
    assert f'{count}{{model_name="half_plus_two",status="INVALID_ARGUMENT"}} 1' in lines
    assert f'{count}{{model_name="",status="NOT_FOUND"}} 1' in lines, "names of others are not kept"
    labels = 'model_name="half_plus_two",API="Predict",entrypoint="GRPC"'
    assert f":tensorflow:serving:request_latency_count{{{labels}}} 1" in lines
