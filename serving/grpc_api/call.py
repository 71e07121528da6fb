"""Who makes a gRPC call, and how long they wait for its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from serving.capture.capture import Caller


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
