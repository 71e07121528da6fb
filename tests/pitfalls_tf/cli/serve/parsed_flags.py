"""A command line of ``pitfalls serve`` parsed into settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pitfalls_tf.cli.serve.access_flags import AccessFlags, access_flags
from pitfalls_tf.cli.serve.limit_flags import LimitFlags, limit_flags
from pitfalls_tf.cli.serve.server_flags import ServerFlags, server_flags
from pitfalls_tf.cli.serve.server_settings import read_addresses, read_limits, read_model_repository
from pitfalls_tf.cli.serve.tensorflow_serving_flags import TensorFlowServingFlags, tensorflow_serving_flags

if TYPE_CHECKING:
    from serving.server.settings import Limits, ModelRepositorySettings


class ParsedFlags:
    """The flags of a command line; `reported` collects the lines about flags without effect."""

    def __init__(self, *arguments: str) -> None:
        @click.command()
        @server_flags
        @access_flags
        @limit_flags
        @tensorflow_serving_flags
        def verb(
            server: ServerFlags, access: AccessFlags, limits: LimitFlags, tensorflow_serving: TensorFlowServingFlags
        ) -> int:
            self.server, self.access, self.limit_flags = server, access, limits
            self.tensorflow_serving = tensorflow_serving
            return 0

        verb.main(list(arguments), standalone_mode=False)
        self.reported: list[str] = []

    def repository(self) -> ModelRepositorySettings:
        """Settings of the models."""
        return read_model_repository(self.server, self.tensorflow_serving, self.access, self.reported.append)

    def limits(self) -> Limits:
        """Settings of timeouts, sizes and batching."""
        return read_limits(self.server, self.tensorflow_serving, self.limit_flags, self.reported.append)

    def addresses(self) -> tuple[Any, Any]:
        """REST address and gRPC listener."""
        return read_addresses(self.server, self.tensorflow_serving, self.limit_flags, self.reported.append)

    def ports(self) -> tuple[Any, ...]:
        """REST port; gRPC port and whether it is required."""
        rest, grpc = self.addresses()
        return (None if rest is None else rest.port, None if grpc is None else (grpc.address.port, grpc.is_required))
