"""What the Open Inference Protocol tells of the server and its models, as messages."""

from __future__ import annotations

from typing import Any, final

from serving.grpc_api.call import GrpcCall
from serving.grpc_api.v2_messages import v2_message
from serving.inference_v2.descriptions import (
    ModelStatistics,
    describe_config,
    describe_model,
    describe_server,
    list_versions,
)
from serving.inference_v2.model_control import ModelControl, check_load
from serving.inference_v2.routes import read_version
from serving.models.versions import Models
from serving.status import Code, Failure, InvalidArgument


@final
class ModelControlHandler:
    """Handles requests to load and unload models."""

    def __init__(self, control: ModelControl) -> None:
        self._control = control

    async def load(self, request: Any, call: GrpcCall) -> Any:
        """A ``RepositoryModelLoadResponse`` when the model is available."""
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


@final
class ModelPagesHandler:
    """Handles requests about the server and its models."""

    def __init__(self, *, models: Models, max_batch_rows: int, statistics: ModelStatistics) -> None:
        self._models = models
        self._statistics = statistics
        self._max_batch_rows = max_batch_rows

    async def server_live(self, _: Any, __: GrpcCall) -> Any:
        """A ``ServerLiveResponse``: the server runs."""
        return v2_message("ServerLiveResponse")(live=True)

    async def server_ready(self, _: Any, __: GrpcCall) -> Any:
        """A ``ServerReadyResponse``: whether every model has an available version."""
        return v2_message("ServerReadyResponse")(ready=self._models.is_ready)

    async def model_ready(self, request: Any, _: GrpcCall) -> Any:
        """A ``ModelReadyResponse``. As in Triton, a model that is not there is not ready, which is no error."""
        version = read_version(request.version)
        try:
            with self._models.lease(request.name, version):
                is_ready = True
        except Failure as failure:
            if failure.code is not Code.NOT_FOUND:
                raise
            is_ready = False
        return v2_message("ModelReadyResponse")(ready=is_ready)

    async def server_metadata(self, _: Any, __: GrpcCall) -> Any:
        """A ``ServerMetadataResponse``: name, version and extensions."""
        return v2_message("ServerMetadataResponse")(**describe_server())

    async def model_metadata(self, request: Any, _: GrpcCall) -> Any:
        """A ``ModelMetadataResponse``: versions, inputs and outputs. Raises `Failure` if there is no such version."""
        with self._models.lease(request.name, read_version(request.version)) as served:
            return v2_message("ModelMetadataResponse")(**describe_model(served, self._models))

    async def model_config(self, request: Any, _: GrpcCall) -> Any:
        """A ``ModelConfigResponse``: the model as Triton would configure it. Raises `Failure` as `model_metadata`."""
        with self._models.lease(request.name, read_version(request.version)) as served:
            described = describe_config(served, self._models.source(request.name), self._max_batch_rows)
            return v2_message("ModelConfigResponse")(config=described)

    async def model_statistics(self, request: Any, _: GrpcCall) -> Any:
        """A ``ModelStatisticsResponse``: of a version, a model or all. Raises `Failure` as `model_metadata`."""
        described = await self._statistics.describe(request.name, read_version(request.version))
        return v2_message("ModelStatisticsResponse")(**described)

    async def index(self, request: Any, _: GrpcCall) -> Any:
        """A ``RepositoryIndexResponse``: every version of every model."""
        check_repository(request)
        return v2_message("RepositoryIndexResponse")(models=list_versions(self._models, only_ready=request.ready))
