"""Parameters of requests and of their tensors, over HTTP or gRPC; unknown ones are ignored, as the protocol demands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serving.inference.callers import REQUEST_ID
from serving.models.signatures import DEFAULT_SIGNATURE
from serving.status import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Mapping

REFUSED = {"shared_memory_region": "Shared memory", "classification": "The classification extension"}


def check_parameters(parameters: Mapping[str, Any], what: str) -> None:
    """Refuse parameters of extensions that are not offered."""
    for name, feature in REFUSED.items():
        if name in parameters:
            raise InvalidArgument(f"{what}: {feature} ({name}) is not offered by this server")


def read_signature_name(parameters: Mapping[str, Any]) -> str:
    """The signature that a request asks for.

    >>> read_signature_name({}), read_signature_name({"signature_name": "other"})
    ('serving_default', 'other')
    """
    return read_text(parameters, "signature_name") or DEFAULT_SIGNATURE


def read_timeout_s(parameters: Mapping[str, Any]) -> float | None:
    """The deadline that a request asks for.

    >>> read_timeout_s({}), read_timeout_s({"timeout": 250_000})
    (None, 0.25)

    Returns:
        Seconds; None for the server's.
    """
    value = parameters.get("timeout", 0)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise InvalidArgument('"timeout" must be an integer number of microseconds')
    return value / 1e6 if value else None


def read_flag(parameters: Mapping[str, Any], name: str) -> bool | None:
    """A parameter that is true, false, or None if it is not there. Raises `InvalidArgument` for another value."""
    value = parameters.get(name)
    if value is not None and not isinstance(value, bool):
        raise InvalidArgument(f'"{name}" must be true or false')
    return value


def read_text(owner: Mapping[str, Any], name: str) -> str:
    """A text; empty if it is not there. Raises `InvalidArgument` for another value."""
    value = owner.get(name, "")
    if not isinstance(value, str):
        raise InvalidArgument(f'"{name}" must be a string')
    return value


def check_id(request_id: str) -> str:
    """Check the id that a client gives its request.

    Returns:
        The id; empty if there is none.

    Raises:
        InvalidArgument: It cannot be an id of the traffic log.
    """
    if request_id and not REQUEST_ID.fullmatch(request_id.encode("utf-8", "surrogatepass")):
        raise InvalidArgument('"id" must be 1 to 128 visible ASCII characters without spaces')
    return request_id
