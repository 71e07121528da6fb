"""Loading and unloading single models at a client's request: Triton's model control."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from serving.access.guard import Guard
from serving.access.tokens import Scope
from serving.status import Code, Failure, InvalidArgument

if TYPE_CHECKING:
    from serving.models.reloading import Switch


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelControl:
    """Switches the models of the list in force, for clients that may reload it."""

    switch: Switch | None = None
    """Loads or unloads a model; None if the list is fixed."""
    is_allowed: bool = False
    """Whether clients may at all."""
    guard: Guard = field(default_factory=Guard)
    """Checks their tokens."""

    def authorize(self, authorization: bytes) -> str:
        """Check the credential of a client over HTTP. `authorization`: the header; empty if there is none."""
        self.check()
        return self.guard.check(Scope.RELOAD, authorization)

    def check(self) -> None:
        """Whether models can be switched at all. Raises `Failure` UNIMPLEMENTED or PERMISSION_DENIED if not."""
        if self.switch is None:
            raise Failure(Code.UNIMPLEMENTED, "This server's list of models is fixed.")
        if not self.is_allowed:
            raise Failure(
                Code.PERMISSION_DENIED,
                "This server loads and unloads no model for clients: it was started without --allow-reload.",
            )

    async def load(self, name: str, who: str) -> None:
        """Load a model, or look for its versions on the disk again.

        Args:
            who: The holder of the credential, for the audit log.
        """
        await self._switch(name, who, is_wanted=True)

    async def unload(self, name: str, who: str) -> None:
        """Unload a model when its last request is answered; arguments and errors as of `load`."""
        await self._switch(name, who, is_wanted=False)

    async def _switch(self, name: str, who: str, *, is_wanted: bool) -> None:
        self.check()
        event = "load" if is_wanted else "unload"
        try:
            if self.switch is not None:
                await self.switch(name, is_wanted=is_wanted)
        except Failure as failure:
            self.guard.record(event, who, model=name, status=failure.code.name)
            raise
        self.guard.record(event, who, model=name, status=Code.OK.name)


def check_load(parameters: object) -> None:
    """Refuse what Triton takes in the place of the model's own configuration and files.

    Args:
        parameters: Of the request to load; None or empty if there are none.
    """
    if parameters:
        raise InvalidArgument("A model is loaded as it is in the list of models: parameters are not offered")
