"""Flags for features that do not exist here, of TensorFlow Serving and of earlier releases: ignored, or refused."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import click

from monitoring.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Flag: why it has no effect.
IGNORED: Mapping[str, str] = {
    "rest_api_num_threads": "one event loop reads all requests; use --workers for more cores",
    "grpc_max_threads": "one event loop reads all requests; use --workers for more cores",
    "num_load_threads": "versions are loaded one at a time",
    "num_unload_threads": "versions are unloaded one at a time",
    "flush_filesystem_caches": "model files stay in the system's cache",
    "enable_grpc_healthcheck_service": "the health service is always on",
    "enable_signature_method_name_check": "method names are not checked",
    "enforce_session_run_timeout": "a client's deadline is always enforced",
    "enable_profiler": "there is no profiler service",
    "remove_unused_fields_from_bundle_metagraph": "graphs are not changed",
    "use_alwaysavailable_policy": "a new version is always loaded before the old one is unloaded",
    "xla_cpu_compilation_enabled": "graphs are not changed",
    "xla_gpu_compilation_enabled": "graphs are not changed",
    "skip_initialize_tpu": "models run on CPUs and GPUs",
    "grpc-compression": "compressed messages are always taken, within --max-inflation",
    "grpc-engine": "one engine reads gRPC",
    "num_tflite_pools": "TensorFlow Lite models are not served",
    "num_tflite_interpreters_per_pool": "TensorFlow Lite models are not served",
}
# Values that leave a feature off.
OFF_VALUES = {"false", "0", ""}
# Flag: why it is not supported, and what to do instead.
REFUSED: Mapping[str, tuple[str, str]] = {
    "prefer_tflite_model": ("TensorFlow Lite models are not served", "Export a SavedModel and leave the flag out."),
    "use_tflite_model": ("TensorFlow Lite models are not served", "Export a SavedModel and leave the flag out."),
    "platform_config_file": ("tensorflow is the only platform", "Leave it out."),
    "tensorflow_session_config_file": (
        "sessions are configured by flags only",
        "Use --tensorflow_intra_op_parallelism and --tensorflow_inter_op_parallelism.",
    ),
    "use_alts_credentials": ("there is no ALTS, Google's own encryption", "Use --ssl_config_file."),
    "thread_pool_factory_config_file": ("thread pools cannot be configured", "Leave it out."),
    "enable_serialization_as_tensor_content": (
        "responses have typed values, as TensorFlow Serving's by default",
        "Leave it out; clients accept both.",
    ),
    "mixed_precision": ("graphs are not changed", "Export the model in that precision."),
}


def unsupported_flags(verb: Callable[..., int | None]) -> Callable[..., int | None]:
    """Decorator: accept all these flags, hidden from ``--help``, and pass the given ones as ``unsupported``."""

    @functools.wraps(verb)
    def wrapper(*arguments: Any, **given: Any) -> int | None:
        values = {name: given.pop(name.replace("-", "_")) for name in (*IGNORED, *REFUSED)}
        return verb(
            *arguments, unsupported={name: value for name, value in values.items() if value is not None}, **given
        )

    decorated: Callable[..., int | None] = wrapper
    for name in (*IGNORED, *REFUSED):
        text = f"Not supported: {IGNORED[name] if name in IGNORED else REFUSED[name][0]}."
        decorated = click.option(f"--{name}", is_flag=False, flag_value="true", hidden=True, help=text)(decorated)
    return decorated


def check_unsupported(flags: Mapping[str, str]) -> tuple[str, ...]:
    """Refuse flags for missing features, and explain those without effect.

    Returns:
        A line for each flag without effect.

    >>> check_unsupported({"num_load_threads": "4"})
    ('--num_load_threads has no effect: versions are loaded one at a time.',)

    Raises:
        BadInput: a flag for a feature that does not exist here.
    """
    for name, value in flags.items():
        if name in REFUSED and value.lower() not in OFF_VALUES:
            reason, fix = REFUSED[name]
            message = f"--{name} is not supported: {reason}."
            raise BadInput(message, got=f"--{name}={value}", expected="no such flag", fix=fix)
    return tuple(f"--{name} has no effect: {IGNORED[name]}." for name in flags if name in IGNORED)
