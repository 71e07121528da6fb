"""GetModelMetadata and GetModelStatus: the signatures of a model, and the state of its versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from serving.grpc_api.model_specs import read_model_spec, read_spec, write_spec
from serving.status import InvalidArgument

if TYPE_CHECKING:
    from serving.grpc_api.call import GrpcCall
    from serving.models.versions import Models

SIGNATURES = "signature_def"


@final
class ModelInfoHandler:
    """Handles requests about models."""

    def __init__(self, *, models: Models) -> None:
        from tensorflow_serving.apis import (  # noqa: PLC0415 - imports TensorFlow
            get_model_metadata_pb2,
            get_model_status_pb2,
        )

        self._models = models
        self._metadata = get_model_metadata_pb2
        self._status = get_model_status_pb2

    async def metadata(self, request: Any, _: GrpcCall) -> Any:
        """Answer a ``GetModelMetadataRequest``.

        Returns:
            A ``GetModelMetadataResponse`` with every signature of the version.

        Raises:
            InvalidArgument: The request is invalid, or the model unknown.
        """
        if not request.HasField("model_spec"):
            raise InvalidArgument("Missing ModelSpec")
        if not request.metadata_field:
            raise InvalidArgument("GetModelMetadataRequest must specify at least one metadata_field")
        for field in request.metadata_field:
            if field != SIGNATURES:
                raise InvalidArgument(f"Metadata field {field} is not supported")
        response = self._metadata.GetModelMetadataResponse()
        with read_model_spec(request).lease(self._models) as served:
            write_spec(response.model_spec, served.model, served.number)
            signatures = self._metadata.SignatureDefMap()
            for name, definition in served.runner.signature_definitions.items():
                signatures.signature_def[name].CopyFrom(definition)
            response.metadata[SIGNATURES].Pack(signatures)
        return response

    async def status(self, request: Any, _: GrpcCall) -> Any:
        """Answer a ``GetModelStatusRequest``; a label in it is ignored.

        Returns:
            A ``GetModelStatusResponse``, newest version first.

        Raises:
            InvalidArgument: The request is invalid, or the model unknown.
        """
        if not request.HasField("model_spec"):
            raise InvalidArgument("Missing ModelSpec")
        wanted = read_spec(request.model_spec)
        response = self._status.GetModelStatusResponse()
        for one in self._models.statuses(wanted.model, wanted.version):
            added = response.model_version_status.add(
                version=one.number, state=self._status.ModelVersionStatus.State.Value(one.state)
            )
            added.status.error_code = int(one.code)
            added.status.error_message = one.message
        return response
