"""The settings of gRPC: limits by flags of this server, and by channel arguments as TensorFlow Serving takes them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from monitoring.errors import BadInput
from serving.server.tf_serving_files import read_grpc_tls

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pitfalls_tf.cli.serve.limit_flags import LimitFlags
    from pitfalls_tf.cli.serve.tensorflow_serving_flags import TensorFlowServingFlags
    from serving.grpc_api.server import GrpcSettings


def contradiction(flag: str, other: str, reason: str) -> BadInput:
    """The error of two flags with their values, and why they contradict each other."""
    return BadInput(
        f"{flag} and {other} contradict each other: {reason}.",
        got=f"{flag} and {other}",
        expected="one of the two",
        fix="Leave one out.",
    )


#: Channel arguments that have an effect here: the setting, and how many of its units one of theirs is.
CHANNEL_ARGUMENTS: Mapping[str, tuple[str, float]] = {
    "grpc.max_concurrent_streams": ("streams", 1),
    "grpc.max_receive_message_length": ("message_bytes", 1),
    "grpc.max_connection_idle_ms": ("idle_s", 1e-3),
    "grpc.max_connection_age_ms": ("age_s", 1e-3),
    "grpc.max_connection_age_grace_ms": ("age_grace_s", 1e-3),
    "grpc.keepalive_time_ms": ("keepalive_s", 1e-3),
    "grpc.keepalive_timeout_ms": ("keepalive_timeout_s", 1e-3),
}
#: What gRPC takes for no limit is the largest that a message's prefix can say.
UNLIMITED = (1 << 31) - 1


def read_grpc_settings(
    tf_flags: TensorFlowServingFlags, limits: LimitFlags, report: Callable[[str], None]
) -> GrpcSettings | None:
    """The settings of gRPC.

    Args:
        report: prints a line about a channel argument without effect.

    Returns:
        The settings; None, without importing gRPC, if no flag sets any.

    Raises:
        BadInput: contradicting flags, an invalid channel argument, or a file that cannot be read.
    """
    flags = {
        "message_bytes": ("--max-request-bytes", limits.max_request_bytes),
        "streams": ("--max-grpc-streams", limits.max_grpc_streams),
        "idle_s": ("--grpc-idle-seconds", limits.grpc_idle_seconds),
        "stall_s": ("--request-seconds", limits.request_seconds),
        "bytes_per_s": ("--slow-client-bytes", limits.slow_client_bytes),
        "inflation": ("--max-inflation", limits.max_inflation),
    }
    connection_fields: dict[str, Any] = {name: value for name, (_, value) in flags.items() if value is not None}
    for name, value in _from_channel_arguments(tf_flags.grpc_channel_arguments or "", report).items():
        if connection_fields.setdefault(name, value) != value:
            flag = f"{flags[name][0]}={connection_fields[name]}"
            raise contradiction(flag, f"--grpc_channel_arguments with {value}", "they set the same thing")
    bounds = {"connections": limits.max_grpc_connections, "calls": limits.max_grpc_calls}
    settings: dict[str, Any] = {name: value for name, value in bounds.items() if value is not None}
    file = tf_flags.ssl_config_file
    if not connection_fields and not settings and file is None:
        return None
    from serving.grpc_api.server import GrpcSettings  # noqa: PLC0415 - not needed for --help

    if file is not None:
        settings["tls"] = read_grpc_tls(file)
    grpc_settings = GrpcSettings(**settings)
    return replace(grpc_settings, connection=replace(grpc_settings.connection, **connection_fields))


def read_channel_arguments(text: str) -> tuple[tuple[str, int | str], ...]:
    """Parse gRPC channel arguments.

    Returns:
        Pairs of key and value; numeric values are integers.

    Raises:
        BadInput: a part that is not KEY=VALUE.

    >>> read_channel_arguments("grpc.max_concurrent_streams=100,grpc.primary_user_agent=me")
    (('grpc.max_concurrent_streams', 100), ('grpc.primary_user_agent', 'me'))
    """
    pairs: list[tuple[str, int | str]] = []
    for part in filter(None, text.split(",")):
        key, is_pair, value = part.partition("=")
        if not is_pair or not key:
            raise BadInput(
                "Invalid channel argument.",
                got=part,
                expected="KEY=VALUE",
                fix="For example --grpc_channel_arguments=grpc.max_connection_age_ms=60000",
            )
        pairs.append((key, int(value) if value.removeprefix("-").isdecimal() else value))
    return tuple(pairs)


def _from_channel_arguments(text: str, report: Callable[[str], None]) -> dict[str, int | float]:
    settings: dict[str, int | float] = {}
    for key, value in read_channel_arguments(text):
        if key not in CHANNEL_ARGUMENTS:
            report(f"The channel argument {key} has no effect: the server does not use gRPC's library.")
            continue
        name, unit = CHANNEL_ARGUMENTS[key]
        number = UNLIMITED if key == "grpc.max_receive_message_length" and value == -1 else value
        if not isinstance(number, int) or number <= 0:
            raise BadInput(
                "Invalid channel argument.",
                got=f"{key}={value}",
                expected="a number of at least 1",
                fix=f"Correct the number, or leave {key} out.",
            )
        settings[name] = number if unit == 1 else number * unit
    return settings
