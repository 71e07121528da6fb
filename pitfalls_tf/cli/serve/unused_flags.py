"""TensorFlow Serving's flags whose feature is not here: those that only tune are taken, the others refused."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import click

from monitoring.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Flag: why it does nothing here.
TAKEN: Mapping[str, str] = {
    "rest_api_num_threads": "requests are read in one event loop; for more cores there is --workers",
    "grpc_max_threads": "requests are read in one event loop; for more cores there is --workers",
    "num_load_threads": "versions are loaded one after another",
    "num_unload_threads": "versions are let go one after another",
    "flush_filesystem_caches": "the files of a model are left to the system's cache",
    "per_process_gpu_memory_fraction": "models run on the processor",
    "enable_grpc_healthcheck_service": "the health service is always there",
    "enable_signature_method_name_check": "method names are not checked",
    "enforce_session_run_timeout": "a client's deadline always counts",
    "enable_profiler": "there is no profiler service",
    "remove_unused_fields_from_bundle_metagraph": "a graph is kept as it is",
    "use_alwaysavailable_policy": "a version is always loaded before the old one is let go",
    "xla_cpu_compilation_enabled": "graphs run as they are",
    "num_tflite_pools": "there is no TensorFlow Lite",
    "num_tflite_interpreters_per_pool": "there is no TensorFlow Lite",
}
# Values by which a flag asks for nothing.
NOTHING = {"false", "0", ""}
# Flag: why it cannot be had, and what there is instead.
REFUSED: Mapping[str, tuple[str, str]] = {
    "prefer_tflite_model": ("TensorFlow Lite models are not served", "Export a SavedModel, and leave the flag out."),
    "use_tflite_model": ("TensorFlow Lite models are not served", "Export a SavedModel, and leave the flag out."),
    "platform_config_file": ("there is one platform, tensorflow", "Leave it out."),
    "tensorflow_session_config_file": (
        "a session is made by flags only",
        "Use --tensorflow_intra_op_parallelism and --tensorflow_inter_op_parallelism.",
    ),
    "grpc_socket_path": ("gRPC listens at addresses only", "Use --port."),
    "enable_per_model_batching_parameters": ("all models share one queue", "Use --batching_parameters_file."),
    "thread_pool_factory_config_file": ("there are no thread pools to choose", "Leave it out."),
    "enable_serialization_as_tensor_content": (
        "answers carry typed values, as TensorFlow Serving's do by default",
        "Leave it out; clients read both.",
    ),
    "mixed_precision": ("graphs run as they are", "Export the model in that precision."),
}


def unused_flags(verb: Callable[..., int | None]) -> Callable[..., int | None]:
    """Take them all, out of the way of ``--help``; the verb is given, as ``unused``, those that were said."""

    @functools.wraps(verb)
    def collected(*arguments: Any, **given: Any) -> int | None:
        values = {name: given.pop(name) for name in (*TAKEN, *REFUSED)}
        return verb(*arguments, unused={name: value for name, value in values.items() if value is not None}, **given)

    whole: Callable[..., int | None] = collected
    for name in (*TAKEN, *REFUSED):
        text = f"Not here: {TAKEN[name] if name in TAKEN else REFUSED[name][0]}."
        whole = click.option(f"--{name}", is_flag=False, flag_value="true", hidden=True, help=text)(whole)
    return whole


def without_effect(unused: Mapping[str, str]) -> tuple[str, ...]:
    """A line for each flag that does nothing here.

    >>> without_effect({"num_load_threads": "4"})
    ('--num_load_threads does nothing here: versions are loaded one after another.',)

    Raises:
        BadInput: a flag that asks for what is not here.
    """
    for name, value in unused.items():
        if name in REFUSED and value.lower() not in NOTHING:
            reason, fix = REFUSED[name]
            raise BadInput(f"--{name} cannot be had: {reason}.", got=f"--{name}={value}", expected="none", fix=fix)
    return tuple(f"--{name} does nothing here: {TAKEN[name]}." for name in unused if name in TAKEN)
