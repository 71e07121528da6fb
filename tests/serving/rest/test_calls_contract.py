"""Parts of TensorFlow Serving's REST contract that neither the cases nor the other tests cover.

The sections are those of the table in docs/reference/serving.md.
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from serving.models.batch_settings import BatchSettings
from tests.serving.memory_log import BlockedLog

if TYPE_CHECKING:
    from tests.serving.conftest import OpenWebsite, Website

PREDICT = "/v1/models/half_plus_two:predict"
ROW = b'{"instances": [1]}'


# Section 1.3: each request is wrong in what its line says and in everything that is checked after it.
ORDER = [
    ("foo", b"[", "JSON Parse error: "),
    ("foo", b"[1]", "JSON Value: "),
    ("foo", b'{"signature_name": 1}', "JSON Value: "),
    ("foo", b'{"signature_name": "s"}', "Servable not found for request: Latest(foo)"),
    ("half_plus_two", b'{"signature_name": "s"}', 'Serving signature name: "s" not found in signature def'),
    ("half_plus_two", b"{}", "Missing 'inputs' or 'instances' key"),
    ("half_plus_two", b'{"instances": ["x"], "inputs": 1}', "JSON Value: "),
    ("dense4", b'{"instances": [["x"]]}', "Failed to process element: 0 of 'instances' list."),
    ("dense4", b'{"instances": [[1, 2, 3]]}', "Matrix size-incompatible: In[0]: [1,3], In[1]: [4,2]"),
    ("named", b'{"signature_name": "scalar_out", "instances": [1]}', "Tensor name: total has no shape information "),
]


@pytest.mark.parametrize(("model", "body", "error"), ORDER, ids=range(len(ORDER)))
def test_the_order_of_checks(website: Website, model: str, body: bytes, error: str) -> None:
    reply = website.send("POST", f"/v1/models/{model}:predict", body)
    assert (reply.status, reply.error[: len(error)]) == (404 if "Servable" in error else 400, error)


def test_a_body_that_is_not_an_object_is_quoted_up_to_256_bytes(website: Website) -> None:
    quoted = website.send("POST", PREDICT, json.dumps([9] * 500).encode()).error
    assert quoted.startswith("JSON Value: [\n    9,")
    assert quoted.endswith(" Is not object")
    assert len(quoted) == len("JSON Value:  Is not object") + 256


def test_a_request_that_misses_the_servers_deadline_is_not_logged(open_website: OpenWebsite) -> None:
    log = BlockedLog()
    with open_website(writer=log, batches=BatchSettings(quick_s=0), timeout_s=0.2) as site:
        first = threading.Thread(target=site.send, args=("POST", PREDICT, ROW))
        first.start()
        assert log.is_blocked.wait(30)
        reply = site.send("POST", PREDICT, ROW)
        log.unblock.set()
        first.join()
    assert reply.status == 504
    assert reply.error
    assert len(log.appends) == 1, "only the first request is logged"


RANGES = [
    ("int32", -(2**31), 2**31 - 1),
    ("int8", -(2**31), 2**31 - 1),
    ("uint8", -(2**31), 2**31 - 1),
    ("int16", -(2**31), 2**31 - 1),
    ("int64", -(2**63), 2**63 - 1),
    ("uint32", 0, 2**32 - 1),
    ("uint64", 0, 2**64 - 1),
]


@pytest.mark.parametrize(("dtype", "least", "most"), RANGES, ids=[row[0] for row in RANGES])
@pytest.mark.parametrize("form", ["instances", "inputs"])
def test_integers_have_the_range_that_json_checks(
    website: Website, dtype: str, least: int, most: int, form: str
) -> None:
    def status(value: Any) -> int:
        return website.predict("typed", {"signature_name": dtype, form: [value]}).status

    assert [status(value) for value in (least, most)] == [200, 200]
    assert [status(value) for value in (1.0, True, None, "1")] == [400] * 4
    for beyond in (least - 1, most + 1):
        body = f'{{"signature_name": "{dtype}", "{form}": [{beyond}]}}'.encode()
        reply = website.send("POST", "/v1/models/typed:predict", body)
        assert (reply.status, f"is not of expected type: {dtype}" in reply.error) == (400, True)


@pytest.mark.parametrize(
    ("signature", "text", "answer"),
    [
        (
            "float32",
            "[1, 1e39, -1e39, 1e-50, Infinity, -Infinity]",
            "[1.0, Infinity, -Infinity, 0.0, Infinity, -Infinity",
        ),
        ("float64", "[0.1, 1e22, 123456789.125, 1e-320]", "[0.1, 1e+22, 123456789.125, 9.99989e-321"),
        ("bool", "[true, false]", "[true, false"),
        ("string", '["a\\u00e9", {"b64": "YQ=="}]', '["a\u00e9", "a"'),
    ],
)
def test_values_come_and_go_as_written(website: Website, signature: str, text: str, answer: str) -> None:
    body = f'{{"signature_name": "{signature}", "instances": {text}}}'.encode()
    reply = website.send("POST", "/v1/models/typed:predict", body)
    assert reply.body.decode() == f'{{\n    "predictions": {answer}\n    ]\n}}'


@pytest.mark.parametrize(
    ("document", "outputs"),
    [
        ({"inputs": {"x": [1, 2], "extra": 3}}, [2.5, 3.0]),
        ({"inputs": {"x": 5}}, 4.5),
        ({"inputs": 0}, 2.0),
        ({"inputs": []}, []),
        ({"inputs": [[], []]}, [[], []]),
    ],
)
def test_columns_may_be_objects_scalars_or_empty(website: Website, document: Any, outputs: Any) -> None:
    assert website.predict("half_plus_two", document).json == {"outputs": outputs}


def test_base64_is_a_value_and_not_an_object_of_inputs(website: Website) -> None:
    def answer(instance: Any) -> Any:
        return website.predict("typed", {"signature_name": "string", "instances": [instance]}).json

    assert answer({"b64": "YQ=="}) == answer({"x": {"b64": "YQ=="}}) == {"predictions": ["a"]}
    assert "does not have named input: b64" in answer({"b64": "YQ==", "x": "a"})["error"]
    assert "Unable to base64 decode" in answer({"b64": "?"})["error"]
