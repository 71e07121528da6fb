"""Combines pitfalls' own flags and TensorFlow Serving's into the server's settings; contradictions are refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pitfalls_tf.cli.serve.contradictions import contradiction
from pitfalls_tf.cli.serve.grpc_settings import read_grpc_settings
from pitfalls_tf.cli.serve.model_source import cache_folder, read_model_list_source
from pitfalls_tf.cli.serve.server_flags import OFF
from pitfalls_tf.cli.serve.session_settings import read_gpus, read_threads, worker_count

if TYPE_CHECKING:
    from collections.abc import Callable

    from pitfalls_tf.cli.serve.access_flags import AccessFlags
    from pitfalls_tf.cli.serve.limit_flags import LimitFlags
    from pitfalls_tf.cli.serve.server_flags import ServerFlags
    from pitfalls_tf.cli.serve.tensorflow_serving_flags import TensorFlowServingFlags
    from serving.models.batch_settings import BatchSettings
    from serving.models.model_cache import ModelCacheSettings
    from serving.server.settings import GrpcListener, Limits, ModelRepositorySettings
    from serving.transport.http_settings import HttpSettings
    from serving.transport.sockets import Address

    Report = Callable[[str], None]

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
    from serving.models.loading import LoadSettings  # noqa: PLC0415 - not needed for --help
    from serving.models.runner import ANY_OPERATION  # noqa: PLC0415 - as above
    from serving.models.version_status import RetryPolicy, VersionSettings  # noqa: PLC0415 - as above
    from serving.server.settings import ModelRepositorySettings  # noqa: PLC0415 - as above

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
    from serving.models.model_cache import ModelCacheSettings  # noqa: PLC0415 - as above

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
    from serving.transport.sockets import Address  # noqa: PLC0415 - as above

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
    from serving.access.origins import known_names  # noqa: PLC0415 - as above
    from serving.server.settings import Limits  # noqa: PLC0415 - as above
    from serving.server.tf_serving_files import read_monitoring_file  # noqa: PLC0415 - as above
    from serving.transport.http_settings import HttpSettings  # noqa: PLC0415 - as above

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
        one, other = f"--max-held-bytes={bounded.held_bytes}", f"--max-request-bytes={bounded.body_bytes}"
        raise contradiction(one, other, "the largest request would never fit")
    return bounded


def _batches(tf_flags: TensorFlowServingFlags, report: Report) -> BatchSettings:
    from serving.models.batch_settings import BatchSettings  # noqa: PLC0415 - as above
    from serving.models.batching_file import default_batching, read_batching_file  # noqa: PLC0415 - as above

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
    from serving.server.settings import GrpcListener  # noqa: PLC0415 - as above
    from serving.transport.sockets import Address  # noqa: PLC0415 - as above

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
    is_required = any(one is not None for one in needs_grpc)
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
    from serving.server.tf_serving_files import verifies_grpc_clients  # noqa: PLC0415 - not needed for --help

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
