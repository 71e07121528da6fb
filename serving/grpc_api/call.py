"""Who makes a gRPC call, and how long they wait for its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from serving.models.signatures import DEFAULT_SIGNATURE
from serving.split.routing import Wanted, acquire
from serving.status import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from serving.capture.capture import Caller
    from serving.models.served_version import ServedVersion
    from serving.models.versions import Models


@dataclass(frozen=True, slots=True, kw_only=True)
class ServableRequest:
    """The model, version or label, and signature that a request names."""

    model: str
    version: int | None = None
    label: str | None = None
    signature: str = DEFAULT_SIGNATURE

    def lease(self, models: Models) -> AbstractContextManager[ServedVersion]:
        """Hold the version while the block runs; errors as of `Models.lease`."""
        return models.lease(self.model, self.version, self.label)

    def acquire(
        self, models: Models, call: GrpcCall, values_of: Callable[[str], Any] = lambda _: None
    ) -> tuple[ServedVersion, GrpcCall]:
        """Take a lease on the version that answers; arguments and errors as of `serving.split.routing.acquire`."""
        wanted = Wanted(self.model, self.version, self.label)
        served, caller = acquire(models, wanted, call.caller, call.metadata, values_of)
        return served, call if caller is call.caller else call._replace(caller=caller)


def read_model_spec(request: Any) -> ServableRequest:
    """Read the ``model_spec`` of a request."""
    if not request.HasField("model_spec"):
        raise InvalidArgument("Missing ModelSpec")
    wanted = read_spec(request.model_spec)
    if not wanted.model:
        raise InvalidArgument("ModelSpec has no name specified.")
    return wanted


def read_spec(spec: Any) -> ServableRequest:
    """Read a ``ModelSpec``, which may name no model."""
    choice = spec.WhichOneof("version_choice")
    return ServableRequest(
        model=spec.name,
        version=spec.version.value if choice == "version" else None,
        label=spec.version_label if choice == "version_label" else None,
        signature=spec.signature_name or DEFAULT_SIGNATURE,
    )


def write_spec(spec: Any, model: str, number: int, signature: str = "") -> None:
    """Fill the ``model_spec`` of a response with the version that answered."""
    spec.name = model
    spec.version.value = number
    spec.signature_name = signature


def _hold_nothing(_: int) -> None:
    pass


class GrpcCall(NamedTuple):
    """One call: its caller, and the seconds left until the caller's deadline; None without a deadline."""

    caller: Caller
    timeout_s: float | None
    who: str = ""
    """The holder of its credential, where it needs one."""
    hold: Callable[[int], None] = _hold_nothing
    """Counts bytes that its message takes, parsed, until it is answered; raises `Failure` if they are too many."""

    metadata: tuple[tuple[bytes, bytes], ...] = ()
    """What the caller adds, with names in lower case."""

    def part(self, name: str) -> GrpcCall:
        """The same call for one of several parts of its request."""
        return self._replace(caller=self.caller.part(name))
