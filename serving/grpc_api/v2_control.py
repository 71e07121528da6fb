"""RepositoryModelLoad and RepositoryModelUnload: a client switches single models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from serving.grpc_api.v2_messages import v2_message
from serving.inference_v2.model_control import check_load
from serving.status import InvalidArgument

if TYPE_CHECKING:
    from serving.grpc_api.call import GrpcCall
    from serving.inference_v2.model_control import ModelControl


@final
class ModelControlHandler:
    """Handles requests to load and unload models."""

    def __init__(self, control: ModelControl) -> None:
        self._control = control

    async def load(self, request: Any, call: GrpcCall) -> Any:
        """A ``RepositoryModelLoadResponse`` when the model is available.

        Raises:
            Failure: Clients may not switch models, the list has no such model, or it has no available version.
        """
        check_repository(request)
        check_load(request.parameters)
        await self._control.load(request.model_name, call.who)
        return v2_message("RepositoryModelLoadResponse")()

    async def unload(self, request: Any, call: GrpcCall) -> Any:
        """A ``RepositoryModelUnloadResponse`` when the model's last request is answered. Raises `Failure` as `load`."""
        check_repository(request)
        await self._control.unload(request.model_name, call.who)
        return v2_message("RepositoryModelUnloadResponse")()


def check_repository(request: Any) -> None:
    """Refuse the name of a repository, as Triton does. Raises `InvalidArgument`."""
    if request.repository_name:
        raise InvalidArgument("repository_name is not offered by this server: it has one repository")
