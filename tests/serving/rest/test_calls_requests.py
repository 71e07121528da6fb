"""What the cases do not cover: the rest of the error table, headers, bodies, and pages beside the models."""

from __future__ import annotations

import gzip
import http.client
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from serving.inference.batching import BatchSettings
from serving.transport.http_settings import HttpSettings

if TYPE_CHECKING:
    from monitoring.traffic.format.rows import AnsweredRows
    from tests.serving.conftest import OpenWebsite, Website

NAMED = {"ints": [1, 2], "name": "foo", "feat": [1.0, 0.5]}


class Ledger:
    def __init__(self) -> None:
        self.appends: list[AnsweredRows] = []

    def append(self, rows: AnsweredRows) -> None:
        self.appends.append(rows)


@pytest.mark.parametrize(
    ("model", "document", "status", "error"),
    [
        ("half_plus_two", {}, 400, "Missing 'inputs' or 'instances' key"),
        ("foo", {}, 404, "Servable not found for request: Latest(foo)"),
        ("foo", {"signature_name": 1}, 400, "JSON Value: "),
        ("half_plus_two", {"instances": 1}, 400, "Expecting 'instances' to be an list/array"),
        ("half_plus_two", {"instances": []}, 400, "No values in 'instances' array"),
        (
            "half_plus_two",
            {"signature_name": "s", "instances": [1]},
            400,
            'Serving signature name: "s" not found in signature def',
        ),
        ("named", {"inputs": [1]}, 400, "inputs is a plain value/list, but expecting an object"),
        (
            "named",
            {"instances": [NAMED | {"z": 1}]},
            400,
            "0 key: z of 'instances' list. Error: INVALID_ARGUMENT: JSON object: does not have named input: z",
        ),
        (
            "named",
            {"instances": [NAMED, {"ints": [1, 2], "name": "foo"}]},
            400,
            "keys must be equal to: feat,ints,name",
        ),
        ("named", {"instances": [NAMED, [1]]}, 400, "Expecting object but got list at item 1 of input list"),
        (
            "half_plus_two",
            {"instances": [1, {"x": 1}]},
            400,
            "Expecting value/list but got object at item 1 of input list",
        ),
        ("half_plus_two", {"instances": [[1, 2], [[1, 2]]]}, 400, "Expecting shape [2] but got: [1,2]"),
        (
            "typed",
            {"signature_name": "float16", "instances": [1]},
            400,
            "Conversion of JSON Value: 1 to type: half",
        ),
        (
            "typed",
            {"signature_name": "float16", "inputs": [1]},
            501,
            "Conversion of JSON Value: 1 to type: half",
        ),
        ("dense4", {"instances": [1, 2, 3, 4]}, 400, "In[0] "),  # each processor's kernel goes on in its own words
        ("dense4", {"instances": [[1, 2, 3]]}, 400, "Matrix size-incompatible: In[0]: [1,3], In[1]: [4,2]"),
    ],
)
def test_the_error_table(website: Website, model: str, document: Any, status: int, error: str) -> None:
    reply = website.predict(model, document)
    assert (reply.status, error in reply.error) == (status, True), reply.body
    assert reply.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("GET", "/v1/models", 400, "Missing model name in request."),
        ("POST", "/v1/models/half_plus_two:PREDICT", 400, "Malformed request: POST /v1/models/half_plus_two:PREDICT"),
        ("POST", "/v1/models/half_plus_two:predict?a=1", 400, "Malformed request: POST "),
        ("GET", "/v1/models/half_plus_two?a=1", 404, "Could not find any versions of model half_plus_two?a=1"),
        ("DELETE", "/v1/models/half_plus_two", 400, "Malformed request: DELETE /v1/models/half_plus_two"),
        (
            "GET",
            "/v1/models/m/versions/99999999999999999999",
            400,
            "Failed to convert version: 99999999999999999999 to numeric.",
        ),
        ("GET", "/v1/models/m/metadata", 404, "Servable not found for request: Latest(m)"),
        ("GET", "/v1/other", 400, "Malformed request: GET /v1/other"),
        ("GET", "/monitor/labels", 400, "Malformed request: GET /monitor/labels"),
    ],
)
def test_paths(website: Website, method: str, path: str, status: int, error: str) -> None:
    reply = website.send(method, path)
    assert (reply.status, reply.error.startswith(error)) == (status, True), reply.body


def test_paths_ignore_case_but_not_in_the_verb(website: Website) -> None:
    body = b'{"instances": [2.0]}'
    assert website.send("POST", "/V1/Models/half_plus_two/Versions/123:predict", body).json == {"predictions": [3.0]}
    assert "model_version_status" in website.send("GET", "/v1/models/half_plus_two/METADATA").json


def test_row_and_column_form_say_the_same(website: Website) -> None:
    rows = [NAMED, NAMED | {"name": "é", "ints": [3, 4]}]
    columns = {name: [row[name] for row in rows] for name in NAMED}
    by_row = website.predict("named", {"instances": rows}).json["predictions"]
    by_column = website.predict("named", {"inputs": columns | {"ignored": 1}}).json["outputs"]
    assert by_row == [{name: values[index] for name, values in by_column.items()} for index in (0, 1)]
    assert [row["name_out"] for row in by_row] == ["foo", "é"]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "int64", "uint64", "bool", "string"])
def test_every_type_comes_back_as_it_went(website: Website, dtype: str) -> None:
    known: dict[str, list[Any]] = {"bool": [True, False], "string": ["a", "é\U0001f600"]}
    value = known.get(dtype, [0, 1, 100])
    for document in ({"instances": value}, {"inputs": value}):
        reply = website.predict("typed", {"signature_name": dtype} | document)
        (answer,) = reply.json.values()
        assert answer == value


def test_scalars_are_allowed_in_column_form(website: Website) -> None:
    assert website.predict("half_plus_two", {"inputs": 3.0}).json == {"outputs": 3.5}


def test_ids_and_times_reach_the_log_and_the_id_comes_back(open_website: OpenWebsite) -> None:
    ledger = Ledger()
    with open_website(writer=ledger) as website:
        headers = {"X-Request-Id": "r:1", "X-Event-Time": "2013-04-01T05:15:00-04:00"}
        reply = website.predict("half_plus_two", {"instances": [1.0, 2.0]}, headers)
        assert reply.headers["x-request-id"] == "r:1"
        own = website.predict("half_plus_two", {"inputs": [[1.0]]}).headers["x-request-id"]
        failed = website.predict("half_plus_two", {"instances": ["x"]})
    first, second = ledger.appends
    assert first.request_ids == ["r:1", "r:1"]
    assert list(first.event_times_us) == [1_364_807_700_000_000] * 2
    assert first.inputs["x"].tolist() == [1.0, 2.0]
    assert first.outputs["y"].tolist() == [2.5, 3.0]
    assert list(second.request_ids) == [own]
    assert own[14] == "7"
    assert failed.status == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Request-Id": "two words"},
        {"X-Request-Id": "x" * 129},
        {"X-Request-Id": "é"},
        {"X-Event-Time": "2013-04-01T05:15:00"},
        {"X-Event-Time": "1364807700000"},
        {"X-Event-Time": "yesterday"},
    ],
    ids=lambda headers: next(iter(headers.values()))[:12],
)
def test_ids_and_times_that_cannot_be_logged_are_refused(website: Website, headers: dict[str, str]) -> None:
    reply = website.predict("half_plus_two", {"instances": [1.0]}, headers)
    assert reply.status == 400
    assert reply.error.startswith(f"{next(iter(headers))} must be ")


def test_bodies_are_bounded_as_sent_and_as_inflated(open_website: OpenWebsite) -> None:
    path = "/v1/models/half_plus_two:predict"
    document = b'{"instances": [1.0]' + b" " * 5000 + b"}"
    with open_website(rest=HttpSettings(body_bytes=4096)) as website:
        for body, headers in ((document, {}), (gzip.compress(document), {"Content-Encoding": "gzip"})):
            reply = website.send("POST", path, body, headers)
            assert (reply.status, "larger than the 4096 bytes" in reply.error) == (413, True)
        assert website.predict("half_plus_two", {"instances": [1.0]}).status == 200


def test_gzip_that_cannot_be_inflated_counts_as_empty(website: Website) -> None:
    for body in (b"no gzip", gzip.compress(b'{"instances": [1.0]}')[:-4]):
        reply = website.send("POST", "/v1/models/half_plus_two:predict", body, {"Content-Encoding": "gzip"})
        assert (reply.status, reply.error) == (400, "JSON Parse error: The document is empty")


def test_a_body_in_chunks_is_one_body(website: Website) -> None:
    with closing(http.client.HTTPConnection(website.url.removeprefix("http://"), timeout=60)) as connection:
        chunks = iter([b'{"instances"', b": [2", b".0]}"])
        connection.request("POST", "/v1/models/half_plus_two:predict", body=chunks, encode_chunked=True)
        assert connection.getresponse().read() == b'{\n    "predictions": [3.0\n    ]\n}'


def test_cors(open_website: OpenWebsite) -> None:
    with open_website(rest=HttpSettings(cors=True)) as website:
        asked = website.send("OPTIONS", "/v1/models/half_plus_two:predict", headers={"Origin": "https://a.example"})
        assert (asked.status, asked.body) == (200, b"")
        assert asked.headers["access-control-allow-origin"] == "*"
        assert website.send("OPTIONS", "/v1/models/m", headers={"Origin": "ftp://a"}).status == 400
        assert website.predict("foo", {}).headers["access-control-allow-methods"] == "POST, GET"


def test_metrics_count_requests_by_model_and_status(open_website: OpenWebsite) -> None:
    with open_website(writer=Ledger()) as website:
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
    class FullDisk:
        def append(self, rows: AnsweredRows) -> None:
            raise OSError(28, "No space left on device")

    with open_website(writer=FullDisk()) as website:
        assert website.predict("half_plus_two", {"instances": [1.0, 2.0]}).json == {"predictions": [2.5, 3.0]}
        page = website.send("GET", "/monitoring/prometheus/metrics").body.decode()
    assert "pitfalls_traffic_rows_lost_total{} 2\n" in page
    assert "pitfalls_traffic_gap_open{} 1\n" in page


def test_a_queue_without_room_answers_503(open_website: OpenWebsite) -> None:
    with open_website(batches=BatchSettings(max_waiting=0)) as website:
        reply = website.predict("half_plus_two", {"instances": [1.0]})
    assert (reply.status, "queue" in reply.error) == (503, True)


def test_classify_and_regress_refuse_what_is_no_example(website: Website) -> None:
    path = "/v1/models/half_plus_two:classify"
    for body, error in (
        (b'{"examples": [1]}', "Example must be JSON object but got JSON Number"),
        (b'{"examples": []}', "'examples' value is an empty array"),
        (b'{"examples": [{"x": [1.0, 1]}]}', "Unexpected element type in feature: x expecting type: float"),
        (b'{"examples": [{"x": null}]}', "Feature: x has element with unexpected JSON type: Null"),
        (b'{"examples": [{"x": 1.0}], "signature_name": "s"}', "No signature was found with the name: s"),
    ):
        reply = website.send("POST", path, body)
        assert (reply.status, error in reply.error) == (400, True), reply.body


def test_a_context_fills_in_what_an_example_lacks(website: Website) -> None:
    body = b'{"signature_name": "regress_x_to_y", "context": {"x": 4.0}, "examples": [{}, {"x": 8.0}]}'
    assert website.send("POST", "/v1/models/half_plus_two:regress", body).json == {"results": [4.0, 6.0]}


def test_features_may_be_truth_values_but_their_names_must_be_text(website: Website) -> None:
    path = "/v1/models/half_plus_two:regress"
    for member, status in ((b'"s": [true, false, 2]', 200), (b'"\xb5": 1', 400)):
        body = b'{"signature_name": "regress_x_to_y", "examples": [{"x": 2.0, %b}]}' % member
        assert website.send("POST", path, body).status == status


def test_answers_do_not_depend_on_company(website: Website) -> None:
    rows = np.linspace(-3, 3, 20).tolist()
    together = website.predict("half_plus_two", {"instances": rows}).json["predictions"]
    assert together == [website.predict("half_plus_two", {"instances": [row]}).json["predictions"][0] for row in rows]
