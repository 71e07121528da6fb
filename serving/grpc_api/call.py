"""Who makes a gRPC call, and how long they wait for its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from serving.capture.capture import Caller


class GrpcCall(NamedTuple):
    """One call: its caller, and the seconds left until the caller's deadline; None without a deadline."""

    caller: Caller
    timeout_s: float | None
    who: str = ""
    """The holder of its credential, where it needs one."""

    def part(self, name: str) -> GrpcCall:
        """The same call for one of several parts of its request."""
        return self._replace(caller=self.caller.part(name))
