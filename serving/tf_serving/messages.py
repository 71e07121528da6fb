"""TensorFlow Serving's protobuf messages that its package on PyPI lacks, for reading configuration files; and examples.

Only the names and types of fields matter in the text format. The messages are defined in a descriptor pool of our own,
so that a library of the same process may define the real ones.

Sources: ``tensorflow_serving/config/{monitoring_config,ssl_config}.proto`` and
``tensorflow_serving/servables/tensorflow/session_bundle_config.proto``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, wrappers_pb2

PACKAGE = "pitfalls.foreign"
Field = descriptor_pb2.FieldDescriptorProto
LABELS = {"optional": Field.LABEL_OPTIONAL, "repeated": Field.LABEL_REPEATED}
SCALARS = {
    "int64": Field.TYPE_INT64,
    "bool": Field.TYPE_BOOL,
    "string": Field.TYPE_STRING,
    "bytes": Field.TYPE_BYTES,
    "float": Field.TYPE_FLOAT,
}

# Message: field: type. A type in capitals is a message, of protobuf's wrappers or of this table.
FIELDS: Mapping[str, Mapping[str, str]] = {
    "PrometheusConfig": {"enable": "bool", "path": "string"},
    "MonitoringConfig": {"prometheus_config": "PrometheusConfig"},
    "SSLConfig": {"server_key": "string", "server_cert": "string", "custom_ca": "string", "client_verify": "bool"},
    "BatchingParameters": {
        "max_batch_size": "Int64Value",
        "batch_timeout_micros": "Int64Value",
        "max_enqueued_batches": "Int64Value",
        "num_batch_threads": "Int64Value",
        "thread_pool_name": "StringValue",
        "allowed_batch_sizes": "repeated int64",
        "pad_variable_length_inputs": "bool",
        "enable_large_batch_splitting": "BoolValue",
        "max_execution_batch_size": "Int64Value",
    },
    # tf.Example, whose own class takes an import of TensorFlow; a map is a list of entries on the wire.
    "Example": {"features": "Features"},
    "Features": {"feature": "repeated Entry"},
    "Entry": {"key": "string", "value": "Feature"},
    "Feature": {"bytes_list": "BytesList", "float_list": "FloatList", "int64_list": "Int64List"},
    "BytesList": {"value": "repeated bytes"},
    "FloatList": {"value": "repeated float"},
    "Int64List": {"value": "repeated int64"},
}


def monitoring_config() -> Any:
    """An empty ``MonitoringConfig``."""
    return _class("MonitoringConfig")()


def ssl_config() -> Any:
    """An empty ``SSLConfig``."""
    return _class("SSLConfig")()


def batching_parameters() -> Any:
    """An empty ``BatchingParameters``."""
    return _class("BatchingParameters")()


def example() -> Any:
    """An empty ``tf.Example``."""
    return _class("Example")()


@cache
def _class(name: str) -> Any:
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"{PACKAGE}.{name}"))


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    file = descriptor_pb2.FileDescriptorProto(name="pitfalls/foreign.proto", package=PACKAGE, syntax="proto3")
    file.dependency.append(wrappers_pb2.DESCRIPTOR.name)
    for name, fields in FIELDS.items():
        message = file.message_type.add(name=name)
        for number, (field, kind) in enumerate(fields.items(), start=1):
            label, _, bare = f"optional {kind}".rpartition(" ")
            added = message.field.add(name=field, number=number, label=LABELS[label.rpartition(" ")[2]])
            if bare in SCALARS:
                added.type = SCALARS[bare]
            else:
                added.type_name = f".{PACKAGE}.{bare}" if bare in FIELDS else f".google.protobuf.{bare}"
    pool.AddSerializedFile(file.SerializeToString())
    return pool
