"""Requests to replace the list of models."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf import text_format
from tensorflow_serving.apis import model_management_pb2

from serving.access.audit_log import AuditLog
from serving.access.guard import Guard
from serving.access.reload_policy import ReloadPolicy
from serving.capture.capture import Caller
from serving.grpc_api.call import GrpcCall
from serving.grpc_api.methods import ReloadHandler
from serving.status import Code, Failure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.serving.grpc_api.conftest import Site


def failure(call: Callable[[Any], Any], request: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call(request)
    return caught.value.code(), caught.value.details()


def test_a_new_list_is_refused_where_the_list_is_fixed(site: Site) -> None:
    code, text = failure(site.model_service.HandleReloadConfigRequest, model_management_pb2.ReloadConfigRequest())
    assert (code, "fixed" in text) == (grpc.StatusCode.UNIMPLEMENTED, True)


def test_a_list_is_taken_only_where_that_is_allowed_and_from_below_a_root(tmp_path: Path) -> None:
    taken: list[Any] = []

    async def reload(config: Any) -> None:
        taken.append(config)

    def send(policy: ReloadPolicy | None, base: Path) -> Code:
        text = f'config {{ model_config_list {{ config {{ name: "m" base_path: "{base}" }} }} }}'
        request = text_format.Parse(text, model_management_pb2.ReloadConfigRequest())
        call = GrpcCall(Caller("a", 0, 0), None)
        try:
            response = asyncio.run(ReloadHandler(reload=reload, policy=policy).reload(request, call))
        except Failure as refused:
            return refused.code
        return Code(response.status.error_code)

    policy = ReloadPolicy(model_roots=(tmp_path / "models",))
    assert send(None, tmp_path / "models") is Code.PERMISSION_DENIED
    assert send(policy, tmp_path / "planted") is Code.PERMISSION_DENIED
    assert taken == []
    assert send(policy, tmp_path / "models" / "m") is Code.OK
    assert len(taken) == 1


def test_a_reload_is_recorded_with_who_sent_it(tmp_path: Path) -> None:
    async def reload(config: Any) -> None:
        if not config.model_config_list.config:
            raise Failure(Code.UNKNOWN, "nothing")

    guard = Guard()
    guard.audit = AuditLog(tmp_path / "audit", report=pytest.fail)
    handler = ReloadHandler(reload=reload, policy=ReloadPolicy(model_roots=()), guard=guard)
    call = GrpcCall(Caller("a", 0, 0), None, "deploy")
    one = text_format.Parse("config { model_config_list { config {} } }", model_management_pb2.ReloadConfigRequest())
    asyncio.run(handler.reload(one, call))
    with pytest.raises(Failure):
        asyncio.run(handler.reload(model_management_pb2.ReloadConfigRequest(), call))
    lines = [json.loads(line) for line in (tmp_path / "audit").read_text().splitlines()]
    assert [(one["event"], one["who"], one["models"], one["status"]) for one in lines] == [
        ("reload", "deploy", 1, "OK"),
        ("reload", "deploy", 0, "UNKNOWN"),
    ]
