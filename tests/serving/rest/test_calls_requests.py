"""Requests that the cases do not cover: the rest of the error table, ids and times, types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from serving.access.guard import Guard
from serving.access.tokens import Scope, Token
from serving.models.batch_settings import BatchSettings
from serving.server.labels_endpoint import LabelsEndpoint
from tests.serving.memory_log import MemoryLog

if TYPE_CHECKING:
    from tests.serving.conftest import OpenWebsite, Website

NAMED = {"ints": [1, 2], "name": "foo", "feat": [1.0, 0.5]}


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
        ("typed", {"signature_name": "float16", "instances": [1]}, 400, "Conversion of JSON Value: 1 to type: half"),
        ("typed", {"signature_name": "float16", "inputs": [1]}, 501, "Conversion of JSON Value: 1 to type: half"),
        ("dense4", {"instances": [1, 2, 3, 4]}, 400, "In[0] "),  # each processor's kernel goes on in its own words
        ("dense4", {"instances": [[1, 2, 3]]}, 400, "Matrix size-incompatible: In[0]: [1,3], In[1]: [4,2]"),
    ],
)
def test_the_error_table(website: Website, model: str, document: Any, status: int, error: str) -> None:
    reply = website.predict(model, document)
    assert (reply.status, error in reply.error) == (status, True), reply.body
    assert reply.headers["content-type"] == "application/json"


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
    log = MemoryLog()
    with open_website(writer=log) as website:
        headers = {"X-Request-Id": "r:1", "X-Event-Time": "2013-04-01T05:15:00-04:00"}
        reply = website.predict("half_plus_two", {"instances": [1.0, 2.0]}, headers)
        assert reply.headers["x-request-id"] == "r:1"
        own = website.predict("half_plus_two", {"inputs": [[1.0]]}).headers["x-request-id"]
        failed = website.predict("half_plus_two", {"instances": ["x"]})
    first, second = log.appends
    assert first.request_ids == ["r:1", "r:1"]
    assert list(first.event_times_us) == [1_364_807_700_000_000] * 2
    assert first.inputs["x"].tolist() == [1.0, 2.0]
    assert first.outputs["y"].tolist() == [2.5, 3.0]
    assert list(second.request_ids) == [own]
    assert own[14] == "7"
    assert (list(first.answer_ids), list(second.answer_ids)) == ([reply.headers["x-answer-id"]] * 2, [])
    assert (list(first.principals), list(first.peers)) == ([], ["127.0.0.1"] * 2)
    assert failed.status == 400


def test_a_token_names_the_caller(open_website: OpenWebsite) -> None:
    log = MemoryLog()
    guard = Guard([Token.of("a" * 16, [Scope.PREDICT], "shop")])
    with open_website(writer=log, labels_endpoint=LabelsEndpoint(guard=guard)) as website:
        website.predict("half_plus_two", {"instances": [1.0]}, {"Authorization": f"Bearer {'a' * 16}"})
        website.predict("half_plus_two", {"instances": [1.0]}, {"Authorization": "Bearer another"})
    assert [list(rows.principals) for rows in log.appends] == [["shop"], []]


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


def test_a_queue_without_room_answers_503(open_website: OpenWebsite) -> None:
    with open_website(batches=BatchSettings(max_waiting=0)) as website:
        reply = website.predict("half_plus_two", {"instances": [1.0]})
    assert (reply.status, "queue" in reply.error) == (503, True)


def test_answers_do_not_depend_on_the_other_rows(website: Website) -> None:
    rows = np.linspace(-3, 3, 20).tolist()
    together = website.predict("half_plus_two", {"instances": rows}).json["predictions"]
    assert together == [website.predict("half_plus_two", {"instances": [row]}).json["predictions"][0] for row in rows]
