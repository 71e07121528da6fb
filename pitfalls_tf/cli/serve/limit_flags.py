"""Flags that limit clients: sizes, connections and timeouts. None means the server's default."""

from __future__ import annotations

from dataclasses import dataclass

import click

from pitfalls_tf.cli.serve.option_groups import option_group

# A valid request needs at least this.
MIN_BYTES = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitFlags:
    """Values of the flags; None if not given."""

    max_request_bytes: int | None
    max_inflation: int | None
    max_held_bytes: int | None
    max_connections: int | None
    max_client_requests: int | None
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
            type=click.IntRange(MIN_BYTES),
            help="Largest request body, compressed and decompressed, and gRPC message.  [default: 67108864]",
        ),
        click.option(
            "--max-inflation",
            type=click.IntRange(0),
            help="Bytes that one byte of a compressed body or message may become; 0: any.  [default: 32]",
        ),
        click.option(
            "--max-held-bytes",
            type=click.IntRange(MIN_BYTES),
            help="Total size of all requests being read or answered, and of answers not sent.  [default: 268435456]",
        ),
        click.option(
            "--max-connections",
            type=click.IntRange(1),
            help="HTTP connections; beyond it idle ones are closed.  [default: 20000, or as open files allow]",
        ),
        click.option(
            "--max-client-requests",
            type=click.IntRange(1),
            help="HTTP requests of one address that are answered at a time.  [default: 2048]",
        ),
        click.option(
            "--max-grpc-connections",
            type=click.IntRange(1),
            help="gRPC connections; beyond it new ones are closed.  [default: 20000, or as open files allow]",
        ),
        click.option("--max-grpc-calls", type=click.IntRange(1), help="Concurrent gRPC calls.  [default: 8192]"),
        click.option(
            "--max-grpc-streams", type=click.IntRange(1), help="Concurrent calls per gRPC connection.  [default: 1024]"
        ),
        click.option(
            "--grpc-idle-seconds",
            type=_SECONDS,
            help="Close a gRPC connection without calls after this time.  [default: 1800]",
        ),
        click.option(
            "--idle-seconds", type=_SECONDS, help="Close an idle HTTP connection after this time.  [default: 75]"
        ),
        click.option("--request-seconds", type=_SECONDS, help="Time to receive a request.  [default: 30]"),
        click.option(
            "--slow-client-bytes",
            type=click.FloatRange(1.0),
            help="Minimum bytes per second that a client sends or takes.  [default: 4096]",
        ),
        click.option(
            "--drain-seconds", type=_SECONDS, help="Time to answer accepted requests at shutdown.  [default: 30]"
        ),
    ),
)
