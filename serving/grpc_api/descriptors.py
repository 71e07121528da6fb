"""Descriptors of the services, for reflection.

They are made here because those of ``tensorflow-serving-api`` cannot be imported: their form was dropped by protobuf 4.
(The messages and stubs of that package can.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf import descriptor_pb2, descriptor_pool

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serving.grpc_api.methods import GrpcMethod


def describe(services: Mapping[str, Sequence[GrpcMethod]]) -> None:
    """Add the services to protobuf's default pool, where reflection looks them up by name."""
    pool = descriptor_pool.Default()
    for full_name, methods in services.items():
        package, _, name = full_name.rpartition(".")
        file = descriptor_pb2.FileDescriptorProto(
            name=f"pitfalls/{package.replace('.', '/')}/{name}.proto", package=package, syntax="proto3"
        )
        messages = [kind for method in methods for kind in (method.request, method.response)]
        file.dependency.extend(sorted({kind.DESCRIPTOR.file.name for kind in messages}))
        service = file.service.add(name=name)
        for method in methods:
            service.method.add(
                name=method.name,
                input_type=f".{method.request.DESCRIPTOR.full_name}",
                output_type=f".{method.response.DESCRIPTOR.full_name}",
            )
        pool.AddSerializedFile(file.SerializeToString())
