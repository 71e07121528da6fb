"""Predict over gRPC, with TensorFlow Serving's messages, and without TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pool, message_factory

from monitoring.errors import BadInput
from serving.client.rest import raise_refused
from serving.client.wire import Array, decoded, encoded
from serving.grpc_api.tensors import ShortForms, decode, encode
from serving.grpc_api.v2_messages import read_definitions

_PACKAGE = "pitfalls.client"
#: Of TensorFlow Serving's ``predict.proto`` and ``model.proto`` and TensorFlow's ``tensor.proto``, with their numbers.
_DEFINITIONS = """
message Int64Value { int64 value = 1; }
message ModelSpec { string name = 1; Int64Value version = 2; string signature_name = 3; string version_label = 4; }
message TensorShape {
  message Dim { int64 size = 1; string name = 2; }
  repeated Dim dim = 2; bool unknown_rank = 3;
}
message Tensor {
  int32 dtype = 1; TensorShape tensor_shape = 2; int32 version_number = 3; bytes tensor_content = 4;
  repeated float float_val = 5; repeated double double_val = 6; repeated int32 int_val = 7;
  repeated bytes string_val = 8; repeated float scomplex_val = 9; repeated int64 int64_val = 10;
  repeated bool bool_val = 11; repeated double dcomplex_val = 12; repeated int32 half_val = 13;
  repeated uint32 uint32_val = 16; repeated uint64 uint64_val = 17;
}
message PredictRequest { ModelSpec model_spec = 1; map<string, Tensor> inputs = 2; }
message PredictResponse { map<string, Tensor> outputs = 1; ModelSpec model_spec = 2; }
"""
_METHOD = "/tensorflow.serving.PredictionService/Predict"
#: Codes of gRPC of a request that is wrong, whoever answers it.
_REFUSED = frozenset(
    {"INVALID_ARGUMENT", "NOT_FOUND", "UNAUTHENTICATED", "PERMISSION_DENIED", "FAILED_PRECONDITION", "UNIMPLEMENTED"}
)
_NO_LIMIT = (1 << 62) - 1


@cache
def _message(name: str) -> Any:
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(read_definitions(_DEFINITIONS, _PACKAGE).SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


class GrpcConnection:
    """A channel to one server. Safe for threads.

    Args:
        address: Such as ``127.0.0.1:8500``.
        timeout: Seconds for each call.
        token: Sent with each call.
        ca_file: Certificates that the server's is checked by; None: those that gRPC brings.
        encrypted: Whether the server speaks TLS.

    Raises:
        BadInput: The file of certificates cannot be read.
    """

    def __init__(
        self, address: str, timeout: float, token: str | None, ca_file: str | None, *, encrypted: bool
    ) -> None:
        import grpc  # noqa: PLC0415 - takes a tenth of a second, which clients of HTTP need not wait for

        self._timeout = timeout
        self._token = token
        options = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))
        if encrypted:
            try:
                roots = None if ca_file is None else Path(ca_file).read_bytes()
            except OSError as error:
                raise BadInput(
                    "The certificates cannot be read.",
                    got=f"{ca_file}: {error.strerror}",
                    expected="a PEM file",
                    fix="Correct ca_file.",
                ) from None
            self._channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(roots), options)
        else:
            self._channel = grpc.insecure_channel(address, options)
        self._call = self._channel.unary_unary(
            _METHOD,
            request_serializer=_message("PredictRequest").SerializeToString,
            response_deserializer=_message("PredictResponse").FromString,
        )

    def predict(
        self,
        model: str,
        version: int | str | None,
        signature: str,
        inputs: Mapping[str, Array],
        headers: Mapping[str, str],
    ) -> tuple[dict[str, Array], int | None, Mapping[str, str]]:
        """Ask for predictions.

        Args:
            version: A number, a label, or None for the one that the server gives.
            headers: Metadata beside the token's.

        Returns:
            The outputs by name, the version that answered if it says so, and the trailing metadata.

        Raises:
            BadInput: The server refused the request.
            CannotRun: It did not answer.
        """
        import grpc  # noqa: PLC0415 - as above

        request = _message("PredictRequest")()
        request.model_spec.name = model
        request.model_spec.signature_name = signature
        if isinstance(version, str):
            request.model_spec.version_label = version
        elif version is not None:
            request.model_spec.version.value = version
        for name, array in inputs.items():
            encode(encoded(array), request.inputs[name])
        metadata = [(name.lower(), value) for name, value in headers.items()]
        if self._token is not None:
            metadata.append(("authorization", f"Bearer {self._token}"))
        try:
            response, call = self._call.with_call(request, timeout=self._timeout, metadata=metadata)
        except grpc.RpcError as error:
            raise_refused(error.code().name not in _REFUSED, f"{error.code().name}: {error.details()}", f"{model}")
        outputs = {name: _read(name, tensor) for name, tensor in response.outputs.items()}
        number = response.model_spec.version.value if response.model_spec.HasField("version") else None
        return outputs, number, _texts(call.trailing_metadata())

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()


def _read(name: str, tensor: Any) -> Array:
    return decoded(decode(name, tensor, _NO_LIMIT, ShortForms()).copy())


def _texts(metadata: Sequence[tuple[str, str | bytes]]) -> dict[str, str]:
    return {key: value for key, value in metadata if isinstance(value, str)}
