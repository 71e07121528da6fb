"""HandleReloadConfigRequest: a client replaces the list of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from serving.access.guard import Guard
from serving.status import Code, Failure

if TYPE_CHECKING:
    from serving.access.reload_policy import ReloadPolicy
    from serving.grpc_api.call import GrpcCall
    from serving.models.reloading import Reload


@final
class ReloadHandler:
    """Handles requests to serve another list of models.

    Args:
        reload: Applies a list; None if the list is fixed.
        policy: Which lists clients may send; None for none.
    """

    def __init__(self, *, reload: Reload | None, policy: ReloadPolicy | None, guard: Guard | None = None) -> None:
        from tensorflow_serving.apis import model_management_pb2  # noqa: PLC0415 - imports TensorFlow

        self._reload = reload
        self._policy = policy
        self._guard = guard or Guard()
        self._response = model_management_pb2.ReloadConfigResponse

    async def reload(self, request: Any, call: GrpcCall) -> Any:
        """Answer a ``ReloadConfigRequest`` when every model of the list is available.

        Returns:
            A ``ReloadConfigResponse``.

        Raises:
            Failure: The list is fixed, clients may not send one, it is invalid, or one of its models is not available.
        """
        if self._reload is None:
            raise Failure(Code.UNIMPLEMENTED, "This server's list of models is fixed.")
        if self._policy is None:
            raise Failure(
                Code.PERMISSION_DENIED,
                "This server takes no list of models from clients: it was started without --allow-reload.",
            )
        outcome = Code.OK
        try:
            self._policy.check(request.config)
            await self._reload(request.config)
        except Failure as failure:
            outcome = failure.code
            raise
        finally:
            models = len(request.config.model_config_list.config)
            self._guard.record("reload", call.who, models=models, status=outcome.name)
        response = self._response()
        response.status.error_code = 0
        response.status.error_message = ""
        return response
