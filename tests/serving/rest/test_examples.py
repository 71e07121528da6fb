"""Examples: kinds of features, context, labelled scores and values."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.serving.conftest import Website

if TYPE_CHECKING:
    from tests.serving.conftest import Website


REGRESS = "/v1/models/half_plus_two:regress"


@pytest.mark.parametrize(
    ("features", "result"),
    [
        ('{"x": 1e0}', 2.5),
        ('{"x": NaN}', math.nan),
        ('{"x": [2.0], "ignored": [1, true], "s": {"b64": "/w=="}}', 3.0),
        ('{"x": 1}', "Data type: int64 but expected type: float"),
        ('{"x": 9223372036854775808}', "Feature: x has uint64_t element. Only int64_t is supported."),
        ('{"x": [1, 1.5]}', "Unexpected element type in feature: x expecting type: int64"),
        ('{"x": ["a", 1]}', "Unexpected element type in feature: x expecting type: "),
    ],
)
def test_the_first_literal_gives_a_feature_its_kind(website: Website, features: str, result: Any) -> None:
    body = f'{{"signature_name": "regress_x_to_y", "examples": [{features}]}}'.encode()
    reply = website.send("POST", REGRESS, body)
    if isinstance(result, str):
        assert (reply.status, result in reply.error) == (400, True), reply.error
    else:
        assert str(json.loads(reply.body)["results"]) == f"[{result}]"


def test_classify_and_regress_refuse_invalid_examples(website: Website) -> None:
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


def test_a_context_supplies_missing_features(website: Website) -> None:
    body = b'{"signature_name": "regress_x_to_y", "context": {"x": 4.0}, "examples": [{}, {"x": 8.0}]}'
    assert website.send("POST", "/v1/models/half_plus_two:regress", body).json == {"results": [4.0, 6.0]}


def test_features_may_be_booleans_but_their_names_must_be_utf_8(website: Website) -> None:
    path = "/v1/models/half_plus_two:regress"
    for member, status in ((b'"s": [true, false, 2]', 200), (b'"\xb5": 1', 400)):
        body = b'{"signature_name": "regress_x_to_y", "examples": [{"x": 2.0, %b}]}' % member
        assert website.send("POST", path, body).status == status
