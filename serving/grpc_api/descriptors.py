"""Descriptors of the services, for reflection.

They are made here because those of ``tensorflow-serving-api`` cannot be imported: their form was dropped by protobuf 4.
(The messages and stubs of that package can.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf import descriptor_pb2, descriptor_pool, text_format
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serving.grpc_api.methods import GrpcMethod


def describe(services: Mapping[str, Sequence[GrpcMethod]]) -> descriptor_pool.DescriptorPool:
    """Describe services, with their messages and the services of health and reflection.

    Args:
        services: The methods of each service, by its full name.

    Returns:
        A pool of its own, in which reflection looks them up by name.
    """
    pool = descriptor_pool.DescriptorPool()
    added: set[str] = set()
    for own in (health_pb2.DESCRIPTOR, reflection_pb2.DESCRIPTOR):
        _add(pool, own, added)
    pool.AddSerializedFile(_reflection_v1())
    for full_name, methods in services.items():
        package, _, name = full_name.rpartition(".")
        file = descriptor_pb2.FileDescriptorProto(
            name=f"pitfalls/{package.replace('.', '/')}/{name}.proto", package=package, syntax="proto3"
        )
        messages = [kind.DESCRIPTOR.file for method in methods for kind in (method.request, method.response)]
        for one in messages:
            _add(pool, one, added)
        file.dependency.extend(sorted({one.name for one in messages}))
        service = file.service.add(name=name)
        for method in methods:
            service.method.add(
                name=method.name,
                input_type=f".{method.request.DESCRIPTOR.full_name}",
                output_type=f".{method.response.DESCRIPTOR.full_name}",
            )
        pool.AddSerializedFile(file.SerializeToString())
    return pool


def _reflection_v1() -> bytes:
    """The file of reflection's version 1: that of v1alpha under another name."""
    text = text_format.MessageToString(
        descriptor_pb2.FileDescriptorProto.FromString(reflection_pb2.DESCRIPTOR.serialized_pb)
    )
    renamed = text.replace("v1alpha", "v1")
    return text_format.Parse(renamed, descriptor_pb2.FileDescriptorProto()).SerializeToString()


def _add(pool: descriptor_pool.DescriptorPool, file: Any, added: set[str]) -> None:
    """Add a file of messages, after those that it imports."""
    if file.name not in added:
        added.add(file.name)
        for imported in file.dependencies:
            _add(pool, imported, added)
        pool.AddSerializedFile(file.serialized_pb)
