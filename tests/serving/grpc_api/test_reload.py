"""Requests to replace the list of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest
from tensorflow_serving.apis import model_management_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.serving.grpc_api.conftest import Site


def failure(call: Callable[[Any], Any], request: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call(request)
    return caught.value.code(), caught.value.details()


def test_a_new_list_is_refused_where_the_list_is_fixed(site: Site) -> None:
    code, text = failure(site.model_service.HandleReloadConfigRequest, model_management_pb2.ReloadConfigRequest())
    assert (code, "fixed" in text) == (grpc.StatusCode.UNIMPLEMENTED, True)
