"""What a model is and how it fares: GetModelMetadata and GetModelStatus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from serving.grpc_api.model_specs import read_model_spec, read_spec, write_spec
from serving.status import invalid

if TYPE_CHECKING:
    from serving.grpc_api.call import GrpcCall
    from serving.models.versions import Models

SIGNATURES = "signature_def"


@final
class ModelInfoHandler:
    """Answers requests about models."""

    def __init__(self, *, models: Models) -> None:
        from tensorflow_serving.apis import (  # noqa: PLC0415 - imports TensorFlow
            get_model_metadata_pb2,
            get_model_status_pb2,
        )

        self._models = models
        self._metadata = get_model_metadata_pb2
        self._status = get_model_status_pb2

    async def metadata(self, request: Any, _: GrpcCall) -> Any:
        """The ``GetModelMetadataResponse``: every signature of the version. Raises `Failure`."""
        if not request.HasField("model_spec"):
            raise invalid("Missing ModelSpec")
        if not request.metadata_field:
            raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
        for field in request.metadata_field:
            if field != SIGNATURES:
                raise invalid(f"Metadata field {field} is not supported")
        response = self._metadata.GetModelMetadataResponse()
        with read_model_spec(request).lease(self._models) as served:
            write_spec(response.model_spec, served.model, served.number)
            signatures = self._metadata.SignatureDefMap()
            for name, definition in served.runner.signature_definitions.items():
                signatures.signature_def[name].CopyFrom(definition)
            response.metadata[SIGNATURES].Pack(signatures)
        return response

    async def status(self, request: Any, _: GrpcCall) -> Any:
        """The ``GetModelStatusResponse``, newest version first; a label is ignored. Raises `Failure`."""
        if not request.HasField("model_spec"):
            raise invalid("Missing ModelSpec")
        wanted = read_spec(request.model_spec)
        response = self._status.GetModelStatusResponse()
        for one in self._models.statuses(wanted.model, wanted.version):
            added = response.model_version_status.add(
                version=one.number, state=self._status.ModelVersionStatus.VersionState.Value(one.state)
            )
            added.status.error_code = int(one.code)
            added.status.error_message = one.message
        return response
