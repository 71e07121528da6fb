"""The messages of the Open Inference Protocol over gRPC, and those of Triton's extensions that are offered.

Written down here, since no package that fits beside TensorFlow has them. They are defined in a descriptor pool of their
own, so that a client's library in the same process may define the same names.

Sources of names and numbers: ``open_inference_grpc.proto`` of kserve/open-inference-protocol; of the extensions
``grpc_service.proto`` and ``model_config.proto`` of triton-inference-server/common.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "inference"
V2_SERVICE = f"{PACKAGE}.GRPCInferenceService"
#: In protobuf's own language. Of the configuration and the statistics only what is filled.
DEFINITIONS = """
message ServerLiveRequest {}
message ServerLiveResponse { bool live = 1; }
message ServerReadyRequest {}
message ServerReadyResponse { bool ready = 1; }
message ModelReadyRequest { string name = 1; string version = 2; }
message ModelReadyResponse { bool ready = 1; }
message ServerMetadataRequest {}
message ServerMetadataResponse { string name = 1; string version = 2; repeated string extensions = 3; }
message ModelMetadataRequest { string name = 1; string version = 2; }
message ModelMetadataResponse {
  message TensorMetadata { string name = 1; string datatype = 2; repeated int64 shape = 3; }
  string name = 1; repeated string versions = 2; string platform = 3;
  repeated TensorMetadata inputs = 4; repeated TensorMetadata outputs = 5; map<string, string> properties = 6;
}
message InferParameter {
  oneof parameter_choice {
    bool bool_param = 1; int64 int64_param = 2; string string_param = 3; double double_param = 4;
    uint64 uint64_param = 5;
  }
}
message InferTensorContents {
  repeated bool bool_contents = 1; repeated int32 int_contents = 2; repeated int64 int64_contents = 3;
  repeated uint32 uint_contents = 4; repeated uint64 uint64_contents = 5; repeated float fp32_contents = 6;
  repeated double fp64_contents = 7; repeated bytes bytes_contents = 8;
}
message ModelInferRequest {
  message InferInputTensor {
    string name = 1; string datatype = 2; repeated int64 shape = 3; map<string, InferParameter> parameters = 4;
    InferTensorContents contents = 5;
  }
  message InferRequestedOutputTensor { string name = 1; map<string, InferParameter> parameters = 2; }
  string model_name = 1; string model_version = 2; string id = 3; map<string, InferParameter> parameters = 4;
  repeated InferInputTensor inputs = 5; repeated InferRequestedOutputTensor outputs = 6;
  repeated bytes raw_input_contents = 7;
}
message ModelInferResponse {
  message InferOutputTensor {
    string name = 1; string datatype = 2; repeated int64 shape = 3; map<string, InferParameter> parameters = 4;
    InferTensorContents contents = 5;
  }
  string model_name = 1; string model_version = 2; string id = 3; map<string, InferParameter> parameters = 4;
  repeated InferOutputTensor outputs = 5; repeated bytes raw_output_contents = 6;
}
enum DataType {
  TYPE_INVALID = 0; TYPE_BOOL = 1; TYPE_UINT8 = 2; TYPE_UINT16 = 3; TYPE_UINT32 = 4; TYPE_UINT64 = 5; TYPE_INT8 = 6;
  TYPE_INT16 = 7; TYPE_INT32 = 8; TYPE_INT64 = 9; TYPE_FP16 = 10; TYPE_FP32 = 11; TYPE_FP64 = 12; TYPE_STRING = 13;
  TYPE_BF16 = 14;
}
message ModelInput { string name = 1; DataType data_type = 2; repeated int64 dims = 4; }
message ModelOutput { string name = 1; DataType data_type = 2; repeated int64 dims = 3; }
message ModelVersionPolicy {
  message Latest { uint32 num_versions = 1; }
  message All {}
  message Specific { repeated int64 versions = 1; }
  oneof policy_choice { Latest latest = 1; All all = 2; Specific specific = 3; }
}
message ModelDynamicBatching {}
message ModelConfig {
  string name = 1; string platform = 2; string backend = 17; ModelVersionPolicy version_policy = 3;
  int32 max_batch_size = 4; repeated ModelInput input = 5; repeated ModelOutput output = 6;
  oneof scheduling_choice { ModelDynamicBatching dynamic_batching = 11; }
}
message ModelConfigRequest { string name = 1; string version = 2; }
message ModelConfigResponse { ModelConfig config = 1; }
message StatisticDuration { uint64 count = 1; uint64 ns = 2; }
message InferStatistics {
  StatisticDuration success = 1; StatisticDuration fail = 2; StatisticDuration queue = 3;
  StatisticDuration compute_input = 4; StatisticDuration compute_infer = 5; StatisticDuration compute_output = 6;
}
message InferBatchStatistics {
  uint64 batch_size = 1; StatisticDuration compute_input = 2; StatisticDuration compute_infer = 3;
  StatisticDuration compute_output = 4;
}
message ModelStatistics {
  string name = 1; string version = 2; uint64 last_inference = 3; uint64 inference_count = 4;
  uint64 execution_count = 5; InferStatistics inference_stats = 6; repeated InferBatchStatistics batch_stats = 7;
}
message ModelStatisticsRequest { string name = 1; string version = 2; }
message ModelStatisticsResponse { repeated ModelStatistics model_stats = 1; }
message ModelRepositoryParameter {
  oneof parameter_choice { bool bool_param = 1; int64 int64_param = 2; string string_param = 3; bytes bytes_param = 4; }
}
message RepositoryModelLoadRequest {
  string repository_name = 1; string model_name = 2; map<string, ModelRepositoryParameter> parameters = 3;
}
message RepositoryModelLoadResponse {}
message RepositoryModelUnloadRequest {
  string repository_name = 1; string model_name = 2; map<string, ModelRepositoryParameter> parameters = 3;
}
message RepositoryModelUnloadResponse {}
message RepositoryIndexRequest { string repository_name = 1; bool ready = 2; }
message RepositoryIndexResponse {
  message ModelIndex { string name = 1; string version = 2; string state = 3; string reason = 4; }
  repeated ModelIndex models = 1;
}
"""
_TOKEN = re.compile(r"[{}]|[^{};]+;?")
_FIELD = re.compile(r"(?:(repeated) )?(?:map<string, (?P<value>\w+)>|(?P<kind>\w+)) (?P<name>\w+) = (?P<number>\d+);")
_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    name: _Field.Type.Value(f"TYPE_{name.upper()}")
    for name in ("bool", "bytes", "double", "float", "int32", "int64", "string", "uint32", "uint64")
}


@cache
def v2_message(name: str) -> Any:
    """The class of a message, such as ``ModelInferRequest``."""
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"{PACKAGE}.{name}"))


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(read_definitions(DEFINITIONS).SerializeToString())
    return pool


def read_definitions(text: str, package: str = PACKAGE) -> descriptor_pb2.FileDescriptorProto:
    """Read messages and enums in protobuf's own language, as far as it is used here.

    >>> [
    ...     field.number
    ...     for field in read_definitions("message M { int32 a = 1; repeated M b = 2; }").message_type[0].field
    ... ]
    [1, 2]

    Args:
        text: Definitions without comments; a field's type is a scalar's name, or that of a message or enum of the text.
        package: What the names lie in.
    """
    file = descriptor_pb2.FileDescriptorProto(name=f"pitfalls/{package}.proto", package=package, syntax="proto3")
    scopes: list[Any] = [file]
    for token in (match.strip() for match in _TOKEN.findall(text)):
        kind, _, name = token.partition(" ")
        match kind:
            case "" | "{":
                continue
            case "}":
                scopes.pop()
            case "message":
                owner = scopes[-1]
                added = owner.message_type if owner is file else owner.nested_type
                scopes.append(added.add(name=name))
            case "enum":
                scopes.append(scopes[-1].enum_type.add(name=name))
            case "oneof":
                scopes[-1].oneof_decl.add(name=name)
                scopes.append(scopes[-1])
            case _:
                _add_field(scopes, token)
    return file


def _add_field(scopes: list[Any], text: str) -> None:
    """Add a field, or an enum's value, to the innermost scope. A oneof is its message, once more."""
    owner = scopes[-1]
    if isinstance(owner, descriptor_pb2.EnumDescriptorProto):
        name, _, number = text.rstrip(";").partition(" = ")
        owner.value.add(name=name, number=int(number))
        return
    read = _FIELD.fullmatch(text)
    if read is None:
        raise ValueError(f"not a field: {text}")
    label = _Field.LABEL_REPEATED if read[1] or read["value"] else _Field.LABEL_OPTIONAL
    field = owner.field.add(name=read["name"], number=int(read["number"]), label=label)
    if owner is scopes[-2]:
        field.oneof_index = len(owner.oneof_decl) - 1
    if read["value"] is None:
        _set_type(field, read["kind"])
        return
    entry = owner.nested_type.add(name="".join(part.capitalize() for part in read["name"].split("_")) + "Entry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, label=_Field.LABEL_OPTIONAL, type=_Field.TYPE_STRING)
    _set_type(entry.field.add(name="value", number=2, label=_Field.LABEL_OPTIONAL), read["value"])
    field.type_name = entry.name


def _set_type(field: Any, kind: str) -> None:
    """A scalar's type; the name of another is looked up from the message outwards, as in the language."""
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type_name = kind
