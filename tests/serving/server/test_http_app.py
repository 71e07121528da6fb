"""The application: routes, CORS, metrics, limits of bodies."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

from serving.access.guard import Guard
from serving.access.tokens import Scope, Token
from serving.server.labels_endpoint import LabelsEndpoint
from serving.transport.http_settings import HttpSettings
from tests.serving.memory_log import FullDisk, MemoryLog

if TYPE_CHECKING:
    from tests.serving.conftest import OpenWebsite, Website

PREDICT = "/v1/models/half_plus_two:predict"
ROW = b'{"instances": [1]}'


def test_bodies_are_bounded_as_sent_and_as_inflated(open_website: OpenWebsite) -> None:
    path = "/v1/models/half_plus_two:predict"
    document = b'{"instances": [1.0]' + b" " * 5000 + b"}"
    with open_website(rest=HttpSettings(body_bytes=4096)) as website:
        for body, headers in ((document, {}), (gzip.compress(document), {"Content-Encoding": "gzip"})):
            reply = website.send("POST", path, body, headers)
            assert (reply.status, "larger than the 4096 bytes" in reply.error) == (413, True)
        assert website.predict("half_plus_two", {"instances": [1.0]}).status == 200


def test_cors(open_website: OpenWebsite) -> None:
    with open_website(rest=HttpSettings(cors=True)) as website:
        sent = website.send("OPTIONS", "/v1/models/half_plus_two:predict", headers={"Origin": "https://a.example"})
        assert (sent.status, sent.body) == (200, b"")
        assert sent.headers["access-control-allow-origin"] == "*"
        assert website.send("OPTIONS", "/v1/models/m", headers={"Origin": "ftp://a"}).status == 400
        assert website.predict("foo", {}).headers["access-control-allow-methods"] == "POST, GET"


def test_metrics_count_requests_by_model_and_status(open_website: OpenWebsite) -> None:
    with open_website(writer=MemoryLog()) as website:
        website.predict("half_plus_two", {"instances": [1.0, 2.0]})
        website.predict("half_plus_two", {"instances": ["x"]})
        website.predict("nobody", {"instances": [1.0]})
        reply = website.send("GET", "/monitoring/prometheus/metrics")
    assert reply.headers["content-type"].startswith("text/plain")
    lines = reply.body.decode().splitlines()
    count = ":tensorflow:serving:request_count"
    assert f'{count}{{model_name="half_plus_two",status="OK"}} 1' in lines
    assert f'{count}{{model_name="half_plus_two",status="INVALID_ARGUMENT"}} 1' in lines
    assert f'{count}{{model_name="",status="NOT_FOUND"}} 1' in lines, "names of others are not kept"
    labels = 'model_name="half_plus_two",API="predict",entrypoint="REST"'
    assert f":tensorflow:serving:request_latency_count{{{labels}}} 1" in lines
    assert f':tensorflow:serving:request_latency_bucket{{{labels},le="+Inf"}} 1' in lines
    assert ':tensorflow:serving:request_example_count_total{model="half_plus_two"} 2' in lines
    assert ':tensorflow:serving:request_example_counts_bucket{model="half_plus_two",le="1"} 0' in lines
    assert ':tensorflow:serving:request_example_counts_bucket{model="half_plus_two",le="2"} 1' in lines
    labels = 'model_name="half_plus_two",API="Predict",runtime="TF1"'
    assert f":tensorflow:serving:runtime_latency_count{{{labels}}} 1" in lines
    assert "pitfalls_traffic_rows_logged_total{} 2" in lines
    assert "pitfalls_traffic_rows_lost_total{} 0" in lines


def test_a_log_that_fails_does_not_fail_the_prediction(open_website: OpenWebsite) -> None:
    with open_website(writer=FullDisk()) as website:
        assert website.predict("half_plus_two", {"instances": [1.0, 2.0]}).json == {"predictions": [2.5, 3.0]}
        page = website.send("GET", "/monitoring/prometheus/metrics").body.decode()
    assert "pitfalls_traffic_rows_lost_total{} 2\n" in page
    assert "pitfalls_traffic_gap_open{} 1\n" in page


def test_the_metrics_page(website: Website) -> None:
    website.send("POST", PREDICT, ROW)
    lines = website.send("GET", "/monitoring/prometheus/metrics").body.decode().splitlines()
    assert not [line for line in lines if line.startswith("# HELP")]
    name = ":tensorflow:serving:request_latency_bucket{"
    edges = {line.partition('le="')[2].partition('"')[0] for line in lines if line.startswith(name)}
    assert edges == {f"{10 * 1.8**power:g}" for power in range(33)} | {"+Inf"}
    assert website.send("GET", "/monitoring/prometheus/metrics2").status == 404


def test_a_token_is_asked_for_where_it_is_required_but_never_by_health(open_website: OpenWebsite) -> None:
    tokens = [Token.of("p" * 16, [Scope.PREDICT]), Token.of("m" * 16, [Scope.METRICS])]
    guard = Guard(tokens, required=[Scope.PREDICT, Scope.METRICS], delay_s=0.05)
    with open_website(labels_endpoint=LabelsEndpoint(guard=guard)) as website:
        predict, metrics = {"Authorization": "Bearer " + "p" * 16}, {"Authorization": "Bearer " + "m" * 16}
        body = b'{"instances": [1.0]}'
        for method, path, headers, statuses in (
            ("GET", "/v2/health/live", metrics, (200, 200)),
            ("GET", "/v2/health/ready", metrics, (200, 200)),
            ("POST", "/v1/models/half_plus_two:predict", predict, (401, 200)),
            ("GET", "/v1/models/half_plus_two", predict, (401, 200)),
            ("GET", "/v2/models", predict, (401, 200)),
            ("GET", "/v2/models", metrics, (401, 403)),
            ("GET", "/monitoring/prometheus/metrics", metrics, (401, 200)),
        ):
            sent = body if method == "POST" else b""
            replies = [website.send(method, path, sent, given) for given in ({}, headers)]
            assert tuple(reply.status for reply in replies) == statuses, path
    assert guard.refused == 6
