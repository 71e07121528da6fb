"""The vendored cases, each sent over a real connection to a real server."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from serving.models.batch_settings import BatchSettings

if TYPE_CHECKING:
    from tests.serving.conftest import OpenWebsite, Website

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "cases" / "rest_cases.jsonl").read_text("utf-8").splitlines()
]
NEEDS_OWN_SERVER = {"batch_task_too_large"}
# Graph errors are worded by the kernel that TensorFlow chooses for the processor: the fused one or the plain one.
OTHER_KERNELS = {"keras_wrong_rank": "In[0] and In[1] has different ndims: [4] vs. [4,2]"}


def body_of(case: dict[str, Any]) -> bytes:
    body: str = case["body"]
    if body.startswith("@deep:"):
        _, text, depth = body.replace('":%s', "\0").split(":")
        body = text.replace("\0", '":%s') % ("[" * int(depth) + "]" * int(depth))
    encoded = body.encode()
    return gzip.compress(encoded) if "Content-Encoding" in case.get("headers", {}) else encoded


def is_close(got: Any, expected: Any) -> bool:
    if isinstance(expected, float) and isinstance(got, int | float):
        return math.isclose(got, expected, rel_tol=1e-6, abs_tol=1e-6)
    if isinstance(expected, dict) and isinstance(got, dict):
        return got.keys() == expected.keys() and all(is_close(got[key], expected[key]) for key in expected)
    if isinstance(expected, list) and isinstance(got, list):
        return len(got) == len(expected) and all(map(is_close, got, expected))
    return type(got) is type(expected) and bool(got == expected)


def check(website: Website, case: dict[str, Any]) -> None:
    reply = website.send(case["method"], case["path"], body_of(case), case.get("headers"))
    assert reply.status == case["expect_status"], reply.body
    if "expect_json" in case:
        assert is_close(reply.json, case["expect_json"]), reply.body
    if "expect_body_exact" in case:
        assert reply.body == case["expect_body_exact"].encode()
    text = reply.body.decode()
    shown = {text, *json.loads(text).values()} if text.startswith('{\n    "error"') else {text}
    wanted = {case.get("expect_body_contains", ""), OTHER_KERNELS.get(case["name"], "\0")}
    assert any(part in one for part in wanted for one in shown), text
    for name, value in case.get("expect_headers", {}).items():
        assert reply.headers[name.lower()] == value


def parameters() -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in CASES if case["name"] not in NEEDS_OWN_SERVER]


@pytest.mark.parametrize("case", parameters())
def test_case(website: Website, case: dict[str, Any]) -> None:
    check(website, case)


def test_case_batch_task_too_large(open_website: OpenWebsite) -> None:
    case = next(case for case in CASES if case["name"] == "batch_task_too_large")
    with open_website(batches=BatchSettings(max_rows=4, refuse_larger=True)) as website:
        check(website, case)
