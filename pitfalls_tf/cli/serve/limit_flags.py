"""The flags of what clients may take together, and how slow they may be. None stands for the server's own figure."""

from __future__ import annotations

from dataclasses import dataclass

import click

from pitfalls_tf.cli.serve.groups import option_group

# The least that an honest request fits into.
LEAST_BYTES = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitFlags:
    """What was given."""

    max_request_bytes: int | None
    max_held_bytes: int | None
    max_connections: int | None
    max_grpc_connections: int | None
    max_grpc_calls: int | None
    max_grpc_streams: int | None
    grpc_idle_seconds: float | None
    idle_seconds: float | None
    request_seconds: float | None
    slow_client_bytes: float | None
    drain_seconds: float | None


_SECONDS = click.FloatRange(0.001)

limit_flags = option_group(
    "limits",
    LimitFlags,
    (
        click.option(
            "--max-request-bytes",
            type=click.IntRange(LEAST_BYTES),
            help="Of a body, as sent and as inflated, and of a gRPC message.  [default: 67108864]",
        ),
        click.option(
            "--max-held-bytes",
            type=click.IntRange(LEAST_BYTES),
            help="Of all requests together that are being read or answered.  [default: 268435456]",
        ),
        click.option(
            "--max-connections",
            type=click.IntRange(1),
            help="HTTP connections; then idle ones give way.  [default: 20000, or what open files allow]",
        ),
        click.option(
            "--max-grpc-connections",
            type=click.IntRange(1),
            help="gRPC connections; then new ones are closed.  [default: 20000, or what open files allow]",
        ),
        click.option(
            "--max-grpc-calls", type=click.IntRange(1), help="gRPC calls that are being answered.  [default: 8192]"
        ),
        click.option(
            "--max-grpc-streams", type=click.IntRange(1), help="Calls at once on one gRPC connection.  [default: 1024]"
        ),
        click.option(
            "--grpc-idle-seconds",
            type=_SECONDS,
            help="A gRPC connection without a call is closed after so long.  [default: 1800]",
        ),
        click.option(
            "--idle-seconds", type=_SECONDS, help="An HTTP connection on which nothing moves likewise.  [default: 75]"
        ),
        click.option("--request-seconds", type=_SECONDS, help="An HTTP request is whole after so long.  [default: 30]"),
        click.option(
            "--slow-client-bytes",
            type=click.FloatRange(1.0),
            help="A second, which slow HTTP clients must send or read.  [default: 4096]",
        ),
        click.option(
            "--drain-seconds", type=_SECONDS, help="How long accepted requests are answered at the end.  [default: 30]"
        ),
    ),
)
