"""Combines pitfalls' own flags and TensorFlow Serving's into the server's settings; contradictions are refused."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitoring.errors import BadInput
from monitoring.traffic.remote.file_store import FileStore
from monitoring.traffic.remote.urls import is_url
from pitfalls_tf.cli.serve.grpc_settings import contradiction, read_grpc_settings
from pitfalls_tf.cli.serve.model_files import model_files, prepare_models
from pitfalls_tf.cli.serve.server_flags import OFF, read_version_labels
from serving.access.origins import known_names
from serving.models.batch_settings import BatchSettings
from serving.models.batching_file import default_batching, read_batching_file
from serving.models.gpus import GpuSettings
from serving.models.loading import LoadSettings
from serving.models.model_cache import ModelCacheSettings
from serving.models.model_list import ConfigFile, ModelsFolder, ModelsUrl, SingleModel
from serving.models.runner import ANY_OPERATION, ThreadSettings
from serving.models.served_version import RetryPolicy, VersionSettings
from serving.server.settings import GrpcListener, Limits, ModelRepositorySettings
from serving.server.tf_serving_files import read_monitoring_file, verifies_grpc_clients
from serving.transport.http_settings import HttpSettings
from serving.transport.sockets import Address

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pitfalls_tf.cli.serve.access_flags import AccessFlags
    from pitfalls_tf.cli.serve.limit_flags import LimitFlags
    from pitfalls_tf.cli.serve.server_flags import ServerFlags
    from pitfalls_tf.cli.serve.tensorflow_serving_flags import TensorFlowServingFlags
    from serving.models.model_list import ModelListSource

    Report = Callable[[str], None]


def read_model_list_source(
    flags: ServerFlags, tf_flags: TensorFlowServingFlags, report: Report, *, waits: bool
) -> ModelListSource:
    """Where the list of models comes from.

    Args:
        report: prints a line about a flag without effect.
        waits: whether the folder of a model may come later.

    Returns:
        A folder of models, here or at a URL, one model, or a config file.

    Raises:
        BadInput: no flag, or contradicting flags, a missing folder, or a URL that no installed driver opens.
    """
    labels = read_version_labels(flags.labels)
    names = ("model_config_file", "model_base_path", "model_name", "model_config_file_poll_wait_seconds")
    flag_names = [f"--{name}" for name in names if getattr(tf_flags, name) is not None]
    if flags.model_files or flags.custom is not None:
        _check_alone(flags, flag_names)
        files = model_files(flags.model_files, tf_flags.model_name)
        folder = prepare_models(
            files, cache_folder("exports"), custom=flags.custom, report=report, confine=flags.confine_mode()
        )
        return ModelsFolder(folder=folder, labels=labels)
    if flags.models is not None:
        if flag_names:
            raise contradiction("--models", flag_names[0], "a folder of models is a complete list")
        if isinstance(flags.models, str):
            return ModelsUrl(checked_url(flags.models), labels, poll_s=flags.url_poll_seconds)
        return ModelsFolder(folder=flags.models, labels=labels)
    if tf_flags.model_config_file is not None:
        for flag in set(flag_names) & {"--model_base_path", "--model_name"}:
            report(f"{flag} has no effect: --model_config_file lists the models.")
        return ConfigFile(path=tf_flags.model_config_file, labels=labels)
    return _single_model(tf_flags, labels, report, flag_names=flag_names, waits=waits)


def _check_alone(flags: ServerFlags, flag_names: list[str]) -> None:
    """Raises BadInput for --model beside what names other models."""
    if not flags.model_files:
        raise contradiction("--custom", "no --model", "only Keras files have custom layers")
    others = [
        *(["--models"] if flags.models is not None else []),
        *(name for name in flag_names if name != "--model_name"),
    ]
    if others:
        raise contradiction("--model", others[0], "either names all models")


def _single_model(
    tf_flags: TensorFlowServingFlags,
    labels: Mapping[str, Mapping[str, int]],
    report: Report,
    *,
    flag_names: list[str],
    waits: bool,
) -> SingleModel:
    if tf_flags.model_base_path is None:
        raise BadInput(
            "No models given.",
            got=" and ".join(flag_names) or "neither --models, --model_base_path nor --model_config_file",
            expected="one of these three, or --model",
            fix="Pass --model FILE.keras, or --models DIR, the folder that `pitfalls export` was given.",
        )
    if tf_flags.model_config_file_poll_wait_seconds is not None:
        report("--model_config_file_poll_wait_seconds has no effect without --model_config_file.")
    path = tf_flags.model_base_path.removeprefix("file://")
    if is_url(path):
        return SingleModel(name=tf_flags.model_name or "default", base=checked_url(path), labels=labels)
    if not waits and not Path(path).is_dir():
        raise BadInput(
            "The model's folder does not exist.",
            got=f"--model_base_path {tf_flags.model_base_path}",
            expected="a folder with numbered versions",
            fix="Check the path.",
        )
    return SingleModel(name=tf_flags.model_name or "default", base=Path(path).absolute(), labels=labels)


def checked_url(url: str) -> str:
    """A URL, if an installed driver opens it.

    Raises:
        BadInput: none does.
    """
    FileStore(url)
    return url


def cache_folder(name: str) -> Path:
    """The folder of one of pitfalls' caches."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "pitfalls", name)


def read_gpus(flags: ServerFlags, tf_flags: TensorFlowServingFlags) -> GpuSettings:
    """The GPUs to answer on, and the share of their memory that is reserved."""
    return GpuSettings(devices=_devices(flags), memory_fraction=tf_flags.per_process_gpu_memory_fraction or 0.0)


def worker_count(flags: ServerFlags) -> int:
    """The number of processes: one for each GPU that is named.

    Returns:
        At least 1.

    Raises:
        BadInput: Another number is asked for, or a GPU is named twice.
    """
    devices = _devices(flags)
    if not devices or flags.workers == len(devices):
        return flags.workers
    if flags.workers != 1:
        raise contradiction(f"--gpus={flags.gpus}", f"--workers={flags.workers}", "each GPU has one process")
    return len(devices)


def _devices(flags: ServerFlags) -> tuple[str, ...]:
    devices = tuple(name.strip() for name in flags.gpus.split(",")) if flags.gpus else ()
    if len(set(devices)) < len(devices) or "" in devices:
        raise BadInput(
            "GPUs cannot be read.",
            got=f"--gpus={flags.gpus}",
            expected="numbers or UUIDs, each once, such as 0,1",
            fix="nvidia-smi -L lists them.",
        )
    return devices


def read_threads(tf_flags: TensorFlowServingFlags) -> ThreadSettings:
    """How many threads TensorFlow uses for a model; BadInput for flags that contradict each other."""
    both = tf_flags.tensorflow_session_parallelism
    within, between = tf_flags.tensorflow_intra_op_parallelism, tf_flags.tensorflow_inter_op_parallelism
    if both and (within or between):
        other = "--tensorflow_intra_op_parallelism" if within else "--tensorflow_inter_op_parallelism"
        raise contradiction("--tensorflow_session_parallelism", other, "the first sets both")
    default = ThreadSettings()
    return ThreadSettings(within=within or both or default.within, between=between or both or default.between)


REST_PORT = 8501
GRPC_PORT = 8500
POLL_S = 1.0


def read_model_repository(
    flags: ServerFlags, tf_flags: TensorFlowServingFlags, access: AccessFlags, report: Report
) -> ModelRepositorySettings:
    """Settings of the models and how they are loaded.

    Args:
        report: prints a line about a flag without effect.

    Raises:
        BadInput: contradicting flags, or none that names the models.
    """
    poll_s = _one_of(
        "--poll-seconds", flags.poll_seconds, "--file_system_poll_wait_seconds", tf_flags.file_system_poll_wait_seconds
    )
    iterations = 1 if tf_flags.num_request_iterations_for_warmup is None else tf_flags.num_request_iterations_for_warmup
    retries, micros = tf_flags.max_num_load_retries, tf_flags.load_retry_interval_micros
    tags = tf_flags.saved_model_tags
    poll_s = POLL_S if poll_s is None else max(0.0, poll_s)
    waits = flags.wait_for_models and poll_s > 0
    return ModelRepositorySettings(
        source=read_model_list_source(flags, tf_flags, report, waits=waits),
        waits_for_models=waits,
        poll_s=poll_s,
        cache=_model_cache(flags),
        config_poll_s=float(tf_flags.model_config_file_poll_wait_seconds or 0),
        loading=LoadSettings(
            warm_ups=0 if tf_flags.enable_model_warmup is False else max(1, iterations),
            tags=("serve",) if tags is None else tuple(tag for tag in tags.split(",") if tag),
            threads=read_threads(tf_flags),
            gpus=read_gpus(flags, tf_flags),
            allowed_operations=(ANY_OPERATION,) if access.allow_any_op else access.allowed_operations,
            op_libraries=access.op_libraries,
            reads_batching=bool(tf_flags.enable_per_model_batching_parameters),
        ),
        versions=VersionSettings(
            retries=RetryPolicy(
                count=RetryPolicy().count if retries is None else retries,
                interval_s=RetryPolicy().interval_s if micros is None else micros / 1e6,
            ),
            newest_is_zero=flags.zero_is_newest,
        ),
        may_label_unavailable=bool(tf_flags.allow_version_labels_for_unavailable_models),
        split_file=None if flags.split_file is None else flags.split_file.absolute(),
    )


def _model_cache(flags: ServerFlags) -> ModelCacheSettings:
    return ModelCacheSettings(
        folder=(flags.model_cache or cache_folder("models")).absolute(),
        limit_bytes=int(flags.model_cache_gb * 1e9),
        poll_s=flags.url_poll_seconds,
    )


def read_addresses(
    flags: ServerFlags, tf_flags: TensorFlowServingFlags, limits: LimitFlags, report: Report
) -> tuple[Address | None, GrpcListener | None]:
    """Addresses of the REST and gRPC APIs.

    Args:
        report: prints a line about a setting without effect.

    Returns:
        REST address and gRPC listener; None for an API that is switched off.

    Raises:
        BadInput: contradicting flags, or both APIs switched off.
    """
    rest_port = _one_of("--rest-port", flags.rest_port, "--rest_api_port", _or_off(tf_flags.rest_api_port))
    rest = None
    if rest_port != OFF:
        flag = "--rest-port" if tf_flags.rest_api_port is None else "--rest_api_port"
        rest = Address(host=flags.host, port=REST_PORT if rest_port is None else rest_port, flag=flag)
    grpc = _grpc_listener(flags, tf_flags, limits, report)
    if rest is None and grpc is None:
        raise contradiction("--rest_api_port=0", "no gRPC", "no API would be left")
    if rest is not None and grpc is not None and rest.port and rest.port == grpc.address.port:
        raise contradiction(f"{rest.flag}={rest.port}", f"{grpc.address.flag}={rest.port}", "each needs its own port")
    return rest, grpc


def read_limits(flags: ServerFlags, tf_flags: TensorFlowServingFlags, limits: LimitFlags, report: Report) -> Limits:
    """Timeouts, request sizes and batching.

    Args:
        report: prints a line about a setting without effect.

    Raises:
        BadInput: contradicting flags, or a file that cannot be read.
    """
    timeout_s: float | None = Limits().timeout_s
    if tf_flags.rest_api_timeout_in_ms is not None:
        timeout_s = tf_flags.rest_api_timeout_in_ms / 1000 if tf_flags.rest_api_timeout_in_ms > 0 else None
    metrics_path = HttpSettings().metrics_path
    if tf_flags.monitoring_config_file is not None:
        metrics_path = read_monitoring_file(tf_flags.monitoring_config_file)
    cors = bool(tf_flags.rest_api_enable_cors_support)
    rest = HttpSettings(cors=cors, metrics_path=metrics_path, hosts=known_names(flags.host, flags.allowed_hosts))
    return Limits(
        timeout_s=timeout_s,
        drain_s=_or_default(limits.drain_seconds, Limits().drain_s),
        batches=_batches(tf_flags, report),
        http=_bounded(rest, limits),
    )


def _bounded(rest: HttpSettings, limits: LimitFlags) -> HttpSettings:
    bounded = replace(
        rest,
        body_bytes=_or_default(limits.max_request_bytes, rest.body_bytes),
        inflation=_or_default(limits.max_inflation, rest.inflation),
        held_bytes=_or_default(limits.max_held_bytes, rest.held_bytes),
        connections=limits.max_connections,
        client_requests=_or_default(limits.max_client_requests, rest.client_requests),
        timeouts=replace(
            rest.timeouts,
            idle_s=_or_default(limits.idle_seconds, rest.timeouts.idle_s),
            request_s=_or_default(limits.request_seconds, rest.timeouts.request_s),
            bytes_per_s=_or_default(limits.slow_client_bytes, rest.timeouts.bytes_per_s),
        ),
    )
    if bounded.held_bytes < bounded.body_bytes:
        held_flag, other = f"--max-held-bytes={bounded.held_bytes}", f"--max-request-bytes={bounded.body_bytes}"
        raise contradiction(held_flag, other, "the largest request would never fit")
    return bounded


def _batches(tf_flags: TensorFlowServingFlags, report: Report) -> BatchSettings:
    path, is_own = tf_flags.batching_parameters_file, tf_flags.enable_per_model_batching_parameters
    if not tf_flags.enable_batching:
        if path is not None:
            raise contradiction("--batching_parameters_file", "no --enable_batching", "the file would have no effect")
        if is_own:
            flag = "--enable_per_model_batching_parameters"
            raise contradiction(flag, "no --enable_batching", "the models' files would have no effect")
        return BatchSettings()
    settings = default_batching()
    if path is not None:
        batching = read_batching_file(path)
        settings = batching.settings
        for name, reason in batching.ignored.items():
            report(f"{name} in --batching_parameters_file has no effect: {reason}.")
    # As in TensorFlow Serving, only the threads of the common file are used then.
    return BatchSettings(runs=settings.runs) if is_own else settings


def _grpc_listener(
    flags: ServerFlags, tf_flags: TensorFlowServingFlags, limits: LimitFlags, report: Report
) -> GrpcListener | None:
    """The gRPC listener. Without a flag it uses TensorFlow Serving's port if that is free.

    Clients of TensorFlow Serving then find the server, and a second server on the machine still starts.
    """
    port = _one_of("--grpc-port", flags.grpc_port, "--port", _or_off(tf_flags.port))
    path = tf_flags.grpc_socket_path
    if path is not None and worker_count(flags) > 1:
        raise contradiction("--grpc_socket_path", f"--workers={worker_count(flags)}", "a Unix socket has one process")
    if port == OFF:
        if path is not None:
            raise contradiction("--grpc_socket_path", "no gRPC", "the socket is gRPC's")
        if tf_flags.ssl_config_file is not None:
            raise contradiction("--ssl_config_file", "no gRPC", "only gRPC uses TLS")
        return None
    needs_grpc = (port, tf_flags.ssl_config_file, tf_flags.grpc_channel_arguments or None, path)
    is_required = any(value is not None for value in needs_grpc)
    flag = "--grpc-port" if tf_flags.port is None else "--port"
    address = Address(host=flags.host, port=GRPC_PORT if port is None else port, flag=flag)
    return GrpcListener(
        address=address,
        is_required=is_required,
        settings=read_grpc_settings(tf_flags, limits, report),
        socket_path=path,
    )


def verifies_clients(tf_flags: TensorFlowServingFlags) -> bool:
    """Whether gRPC clients must have a certificate."""
    return tf_flags.ssl_config_file is not None and verifies_grpc_clients(tf_flags.ssl_config_file)


def _or_default(value: Any, default: Any) -> Any:
    return default if value is None else value


def _or_off(port: int | None) -> int | str | None:
    return OFF if port == 0 else port


def _one_of(flag: str, value: Any, tf_flag: str, tf_value: Any) -> Any:
    """The given value; both may be given if they are equal."""
    if value is not None and tf_value is not None and value != tf_value:
        raise contradiction(f"{flag}={value}", f"{tf_flag}={tf_value}", "they set the same thing")
    return value if value is not None else tf_value
