"""``pitfalls serve``: a model server with TensorFlow Serving's HTTP and gRPC APIs that logs every prediction.

Each group of flags has its own file: ``server_flags``, ``access_flags``, ``traffic_flags``, ``limit_flags``,
``tensorflow_serving_flags`` and ``unsupported_flags``. ``server_settings`` combines them into the server's settings.
"""

from __future__ import annotations

import functools
import ipaddress
import os
import stat
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from monitoring.errors import BadInput
from pitfalls_tf.cli.frameworks import load_frameworks
from pitfalls_tf.cli.output import one_line, with_output
from pitfalls_tf.cli.serve.access_flags import AccessFlags, access_flags
from pitfalls_tf.cli.serve.limit_flags import LimitFlags, limit_flags
from pitfalls_tf.cli.serve.rollout_workers import rollout_workers
from pitfalls_tf.cli.serve.server_flags import ServerFlags, server_flags
from pitfalls_tf.cli.serve.server_settings import (
    read_addresses,
    read_limits,
    read_model_repository,
    verifies_clients,
    worker_count,
)
from pitfalls_tf.cli.serve.tensorflow_serving_flags import (
    TensorFlowServingFlags,
    tensorflow_serving_flags,
    version_flag,
)
from pitfalls_tf.cli.serve.traffic_flags import TrafficFlags, traffic_flags
from serving.server.settings import ServeSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from pitfalls_tf.cli.output import Output
    from serving.server.settings import ServerInfo

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
    def wrapper(*arguments: Any, **options: Any) -> int | None:
        values = {name: options.pop(name.replace("-", "_")) for name in (*IGNORED, *REFUSED)}
        return verb(
            *arguments, unsupported={name: value for name, value in values.items() if value is not None}, **options
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


def exposure_lines(host: str, access: AccessFlags, ssl_config_file: Path | None, *, verified: bool) -> Iterator[str]:
    """What an operator may not have meant.

    Args:
        access: Who may ask for what.
        ssl_config_file: TensorFlow Serving's file with the key, if there is one.
        verified: Whether gRPC clients must have a certificate.

    Yields:
        A sentence for each.
    """
    is_open = "predict" not in access.require_token and not (verified and access.rest_tls)
    if is_open and not _is_local(host):
        yield (
            f"Whoever reaches {host} may ask for predictions: --token-file FILE --require-token predict asks for a "
            "token, and --host 127.0.0.1 is reached from this machine alone."
        )
    if ssl_config_file is not None and (mode := stat.S_IMODE(ssl_config_file.stat().st_mode)) & 0o037:
        yield f"Others may read the key in {ssl_config_file}: mode {mode:04o}. chmod 600 {ssl_config_file}"


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


__all__ = ["command"]

# oneDNN's own memory pool never returns what a version used: after unloading four versions of 64 MB the process stayed
# at 1,023 MB; with the system's allocator it went from 1,017 back to 761 MB.
SYSTEM_ALLOCATOR = ("TF_ONEDNN_USE_SYSTEM_ALLOCATOR", "1")


@click.command()
@server_flags
@access_flags
@traffic_flags
@limit_flags
@tensorflow_serving_flags
@unsupported_flags
@version_flag
@with_output
def command(
    server: ServerFlags,
    access: AccessFlags,
    traffic: TrafficFlags,
    limits: LimitFlags,
    tensorflow_serving: TensorFlowServingFlags,
    *,
    unsupported: Mapping[str, str],
    output: Output,
) -> int:
    """Serve models with TensorFlow Serving's HTTP and gRPC APIs, and log every prediction before it is sent.

    Accepts TensorFlow Serving's flags under their own names. On SIGTERM or Ctrl-C it answers all accepted requests and
    stops; a second signal stops it at once. POST /monitor/labels accepts labels from clients with a token of
    --token-file, or the one of the variable PITFALLS_TOKEN.
    """
    from serving.server.server import serve  # noqa: PLC0415 - not needed for --help

    workers = worker_count(server)
    verified = verifies_clients(tensorflow_serving)
    for line in exposure_lines(server.host, access, tensorflow_serving.ssl_config_file, verified=verified):
        output.progress(line, level="warning")
    for line in check_unsupported(unsupported):
        output.progress(line)
    address, grpc = read_addresses(server, tensorflow_serving, limits, output.progress)
    repository = read_model_repository(server, tensorflow_serving, access, output.progress)
    settings = ServeSettings(
        repository=repository,
        address=address,
        grpc=grpc,
        traffic=traffic.settings(),
        tls=access.tls(tensorflow_serving.ssl_config_file),
        access=access.settings(repository.source, verifies_clients=verified),
        limits=replace(
            read_limits(server, tensorflow_serving, limits, output.progress), event_times=traffic.event_times()
        ),
        confine=server.confine_mode(),
    )

    def ready(info: ServerInfo) -> None:
        output.finish(
            _document(info, traffic.traffic),
            lambda: click.echo(one_line(f"Serving {_models(info)} on {_addresses(info)}")),
        )

    def prepare() -> None:
        os.environ.setdefault(*SYSTEM_ALLOCATOR)
        load_frameworks("tensorflow")

    with rollout_workers(server, workers, output.progress):
        if workers == 1:
            serve(settings, on_ready=ready, report=output.progress, prepare=prepare)
        else:
            from serving.workers.workers import serve_workers  # noqa: PLC0415 - as above

            serve_workers(settings, workers, on_ready=ready, report=output.progress, prepare=prepare)
    return 0


def _document(info: ServerInfo, traffic: Path | None) -> dict[str, Any]:
    return {
        "url": info.url,
        "grpc": info.grpc,
        "models": {name: list(versions) for name, versions in info.models.items()},
        "traffic": None if traffic is None else str(traffic),
        "pid": info.pid,
    }


def _models(info: ServerInfo) -> str:
    named = [
        f"{name}/{versions[0]}" if versions else f"{name} (not available)" for name, versions in info.models.items()
    ]
    return ", ".join(named) or "no model yet"


def _addresses(info: ServerInfo) -> str:
    grpc = None if info.grpc is None else f"gRPC on {info.grpc}"
    return ", ".join(address for address in (info.url, grpc) if address is not None)
