"""A client of the Open Inference Protocol over gRPC, for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest

from serving.grpc_api.v2_messages import V2_SERVICE, v2_message

if TYPE_CHECKING:
    from tests.serving.grpc_api.conftest import Site


def ask(site: Site, method: str, **fields: Any) -> Any:
    """Call a method with a request of these fields."""
    return send(site, method, v2_message(f"{method}Request")(**fields))


def send(site: Site, method: str, request: Any, *, is_awaited: bool = True, **options: Any) -> Any:
    """Call a method; gives its future if it is not awaited."""
    call = site.channel.unary_unary(
        f"/{V2_SERVICE}/{method}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=v2_message(f"{method}Response").FromString,
    )
    return call(request, **options) if is_awaited else call.future(request, **options)


def failure(site: Site, method: str, request: Any, **options: Any) -> tuple[grpc.StatusCode, str]:
    """The code and the text with which a call is refused."""
    with pytest.raises(grpc.RpcError) as caught:
        send(site, method, request, **options)
    return caught.value.code(), caught.value.details()


def infer_request(*inputs: dict[str, Any], model: str = "half_plus_two", **fields: Any) -> Any:
    """A ``ModelInferRequest``."""
    return v2_message("ModelInferRequest")(model_name=model, inputs=inputs, **fields)


def tensor(
    *values: Any, name: str = "x", datatype: str = "FP32", field: str = "fp32_contents", shape: list[int] | None = None
) -> dict[str, Any]:
    """An input whose values are in a field."""
    return {
        "name": name,
        "datatype": datatype,
        "shape": [len(values)] if shape is None else shape,
        "contents": {field: list(values)},
    }


def declared(shape: list[int], *, name: str = "x", datatype: str = "FP32") -> dict[str, Any]:
    """An input whose values are among the raw bytes."""
    return {"name": name, "datatype": datatype, "shape": shape}


def text_parameters(**values: str) -> dict[str, Any]:
    """Parameters that are texts."""
    return {name: {"string_param": value} for name, value in values.items()}
