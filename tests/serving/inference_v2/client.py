"""A client of the Open Inference Protocol, for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from tests.serving.conftest import Reply, Website


PATH = "/v2/models/half_plus_two/infer"


def tensor(data: Any, *, name: str = "x", datatype: str = "FP32", shape: list[int] | None = None) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": [len(data)] if shape is None else shape, "data": data}


def infer(website: Website, document: Any, path: str = PATH, headers: dict[str, str] | None = None) -> Reply:
    return website.send("POST", path, orjson.dumps(document), headers)


def infer_binary(website: Website, document: Any, *contents: bytes, path: str = PATH) -> Reply:
    head = orjson.dumps(document)
    headers = {"Inference-Header-Content-Length": str(len(head))}
    return website.send("POST", path, b"".join((head, *contents)), headers)
