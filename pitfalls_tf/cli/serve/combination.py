"""Flags of both kinds, made into one set of settings; what contradicts is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitoring.errors import BadInput
from pitfalls_tf.cli.serve.own_flags import OFF, read_version_labels

if TYPE_CHECKING:
    from collections.abc import Callable

    from pitfalls_tf.cli.serve.limit_flags import LimitFlags
    from pitfalls_tf.cli.serve.own_flags import OwnFlags
    from pitfalls_tf.cli.serve.tensorflow_serving_flags import TensorFlowServingFlags
    from serving.grpc_api.server import GrpcSettings
    from serving.inference.batching import BatchSettings
    from serving.models.model_list import ModelListSource
    from serving.models.runner import ThreadSettings
    from serving.server.settings import GrpcListener, Limits, ModelRepositorySettings
    from serving.transport.http_settings import HttpSettings
    from serving.transport.sockets import Address

    Report = Callable[[str], None]

REST_PORT = 8501
GRPC_PORT = 8500
POLL_S = 1.0


def read_model_repository(own: OwnFlags, theirs: TensorFlowServingFlags, report: Report) -> ModelRepositorySettings:
    """Which models, and how they are loaded. Raises `BadInput`."""
    from serving.models.loading import LoadSettings  # noqa: PLC0415 - help must not wait for a server's libraries
    from serving.models.version_status import RetryPolicy, VersionSettings  # noqa: PLC0415 - as above
    from serving.server.settings import ModelRepositorySettings  # noqa: PLC0415 - as above

    poll_s = _one_of(
        "--poll-seconds", own.poll_seconds, "--file_system_poll_wait_seconds", theirs.file_system_poll_wait_seconds
    )
    iterations = 1 if theirs.num_request_iterations_for_warmup is None else theirs.num_request_iterations_for_warmup
    retries, micros = theirs.max_num_load_retries, theirs.load_retry_interval_micros
    tags = theirs.saved_model_tags
    return ModelRepositorySettings(
        source=read_model_list_source(own, theirs, report),
        poll_s=POLL_S if poll_s is None else max(0.0, poll_s),
        config_poll_s=float(theirs.model_config_file_poll_wait_seconds or 0),
        loading=LoadSettings(
            warm_ups=0 if theirs.enable_model_warmup is False else max(1, iterations),
            tags=("serve",) if tags is None else tuple(tag for tag in tags.split(",") if tag),
            threads=_threads(theirs),
        ),
        versions=VersionSettings(
            retries=RetryPolicy(
                count=RetryPolicy().count if retries is None else retries,
                interval_s=RetryPolicy().interval_s if micros is None else micros / 1e6,
            ),
            newest_is_zero=own.zero_is_newest,
        ),
        may_label_unavailable=bool(theirs.allow_version_labels_for_unavailable_models),
    )


def read_model_list_source(own: OwnFlags, theirs: TensorFlowServingFlags, report: Report) -> ModelListSource:
    """Where the list of models comes from. Raises `BadInput` unless exactly one flag says so."""
    from serving.models.model_list import ConfigFile, ModelsFolder, SingleModel  # noqa: PLC0415 - as above

    labels = read_version_labels(own.labels)
    names = ("model_config_file", "model_base_path", "model_name", "model_config_file_poll_wait_seconds")
    given = [f"--{name}" for name in names if getattr(theirs, name) is not None]
    if own.models is not None:
        if given:
            raise _contradiction("--models", given[0], "a folder of models is the whole list")
        return ModelsFolder(folder=own.models, labels=labels)
    if theirs.model_config_file is not None:
        for flag in set(given) & {"--model_base_path", "--model_name"}:
            report(f"{flag} does nothing here: --model_config_file lists the models.")
        return ConfigFile(path=theirs.model_config_file, labels=labels)
    if theirs.model_base_path is None:
        raise BadInput(
            "There is nothing to say which models to serve.",
            got=" and ".join(given) or "neither --models, --model_base_path nor --model_config_file",
            expected="one of these three",
            fix="Pass --models DIR, the folder that `pitfalls export` was given.",
        )
    if theirs.model_config_file_poll_wait_seconds is not None:
        report("--model_config_file_poll_wait_seconds does nothing here: there is no --model_config_file.")
    path = theirs.model_base_path.removeprefix("file://")
    if not Path(path).is_dir():
        raise BadInput(
            "The folder of the model cannot be found.",
            got=f"--model_base_path {theirs.model_base_path}",
            expected="a folder of this machine with numbered versions in it",
            fix="Mount or copy it here." if "://" in path else "Check the path.",
        )
    return SingleModel(name=theirs.model_name or "default", base=Path(path).absolute(), labels=labels)


def read_addresses(
    own: OwnFlags, theirs: TensorFlowServingFlags, limits: LimitFlags
) -> tuple[Address | None, GrpcListener | None]:
    """Where REST and gRPC clients come in; None where they do not. Raises `BadInput`."""
    from serving.transport.sockets import Address  # noqa: PLC0415 - as above

    rest_port = _one_of("--rest-port", own.rest_port, "--rest_api_port", _or_off(theirs.rest_api_port))
    rest = None
    if rest_port != OFF:
        flag = "--rest-port" if theirs.rest_api_port is None else "--rest_api_port"
        rest = Address(host=own.host, port=REST_PORT if rest_port is None else rest_port, flag=flag)
    grpc = _grpc_door(own, theirs, limits)
    if rest is None and grpc is None:
        raise _contradiction("--rest_api_port=0", "no gRPC", "nobody could reach the server")
    if rest is not None and grpc is not None and rest.port and rest.port == grpc.address.port:
        raise _contradiction(f"{rest.flag}={rest.port}", f"{grpc.address.flag}={rest.port}", "each needs its own port")
    return rest, grpc


def read_limits(theirs: TensorFlowServingFlags, limits: LimitFlags, report: Report) -> Limits:
    """How long and how much. Raises `BadInput`."""
    from serving.server.settings import Limits  # noqa: PLC0415 - as above
    from serving.server.tf_serving_files import read_monitoring_file  # noqa: PLC0415 - as above
    from serving.transport.http_settings import HttpSettings  # noqa: PLC0415 - as above

    timeout_s: float | None = Limits().timeout_s
    if theirs.rest_api_timeout_in_ms is not None:
        timeout_s = theirs.rest_api_timeout_in_ms / 1000 if theirs.rest_api_timeout_in_ms > 0 else None
    metrics_path = HttpSettings().metrics_path
    if theirs.monitoring_config_file is not None:
        metrics_path = read_monitoring_file(theirs.monitoring_config_file)
    rest = HttpSettings(cors=bool(theirs.rest_api_enable_cors_support), metrics_path=metrics_path)
    return Limits(
        timeout_s=timeout_s,
        drain_s=_or_usual(limits.drain_seconds, Limits().drain_s),
        batches=_batches(theirs, report),
        http=_bounded(rest, limits),
    )


def _bounded(rest: HttpSettings, limits: LimitFlags) -> HttpSettings:
    bounded = replace(
        rest,
        body_bytes=_or_usual(limits.max_request_bytes, rest.body_bytes),
        held_bytes=_or_usual(limits.max_held_bytes, rest.held_bytes),
        connections=limits.max_connections,
        timeouts=replace(
            rest.timeouts,
            idle_s=_or_usual(limits.idle_seconds, rest.timeouts.idle_s),
            request_s=_or_usual(limits.request_seconds, rest.timeouts.request_s),
            bytes_per_s=_or_usual(limits.slow_client_bytes, rest.timeouts.bytes_per_s),
        ),
    )
    if bounded.held_bytes < bounded.body_bytes:
        one, other = f"--max-held-bytes={bounded.held_bytes}", f"--max-request-bytes={bounded.body_bytes}"
        raise _contradiction(one, other, "the largest request would never fit")
    return bounded


def _batches(theirs: TensorFlowServingFlags, report: Report) -> BatchSettings:
    from serving.inference.batching import BatchSettings  # noqa: PLC0415 - as above
    from serving.server.tf_serving_files import default_batching, read_batching_file  # noqa: PLC0415 - as above

    if theirs.batching_parameters_file is None:
        return default_batching() if theirs.enable_batching else BatchSettings()
    if not theirs.enable_batching:
        raise _contradiction("--batching_parameters_file", "no --enable_batching", "the file would not count")
    batching = read_batching_file(theirs.batching_parameters_file)
    for name in batching.ignored:
        report(f"{name} in --batching_parameters_file does nothing here: requests wait for no timer and no thread.")
    return batching.settings


def _grpc_door(own: OwnFlags, theirs: TensorFlowServingFlags, limits: LimitFlags) -> GrpcListener | None:
    """Not asked for, TensorFlow Serving's port is taken where it is free.

    So its clients find the server, and a second server on the machine starts all the same.
    """
    from serving.server.settings import GrpcListener  # noqa: PLC0415 - as above
    from serving.transport.sockets import Address  # noqa: PLC0415 - as above

    port = _one_of("--grpc-port", own.grpc_port, "--port", _or_off(theirs.port))
    if port == OFF:
        if theirs.ssl_config_file is not None:
            raise _contradiction("--ssl_config_file", "no gRPC", "only gRPC is encrypted")
        return None
    is_asked_for = bool(port is not None or theirs.ssl_config_file is not None or theirs.grpc_channel_arguments)
    flag = "--grpc-port" if theirs.port is None else "--port"
    address = Address(host=own.host, port=GRPC_PORT if port is None else port, flag=flag)
    return GrpcListener(address=address, is_required=is_asked_for, settings=_grpc_settings(theirs, limits))


def _grpc_settings(theirs: TensorFlowServingFlags, limits: LimitFlags) -> GrpcSettings | None:
    """None, and gRPC not loaded yet, where no flag is about it."""
    bounds = {
        "message_bytes": limits.max_request_bytes,
        "connections": limits.max_grpc_connections,
        "calls": limits.max_grpc_calls,
        "streams": limits.max_grpc_streams,
        "idle_s": limits.grpc_idle_seconds,
    }
    given: dict[str, Any] = {name: value for name, value in bounds.items() if value is not None}
    if not given and theirs.ssl_config_file is None and not theirs.grpc_channel_arguments:
        return None
    from serving.grpc_api.server import GrpcSettings  # noqa: PLC0415 - as above
    from serving.server.tf_serving_files import read_ssl_file  # noqa: PLC0415 - as above

    return GrpcSettings(
        credentials=None if theirs.ssl_config_file is None else read_ssl_file(theirs.ssl_config_file),
        arguments=read_channel_arguments(theirs.grpc_channel_arguments or ""),
        **given,
    )


def read_channel_arguments(text: str) -> tuple[tuple[str, int | str], ...]:
    """Settings of gRPC's own; what reads as a number is one.

    >>> read_channel_arguments("grpc.max_concurrent_streams=100,grpc.primary_user_agent=me")
    (('grpc.max_concurrent_streams', 100), ('grpc.primary_user_agent', 'me'))
    """
    pairs: list[tuple[str, int | str]] = []
    for part in filter(None, text.split(",")):
        key, is_pair, value = part.partition("=")
        if not is_pair or not key:
            raise BadInput(
                "This is no channel argument.",
                got=part,
                expected="KEY=VALUE",
                fix="For example --grpc_channel_arguments=grpc.max_connection_age_ms=60000",
            )
        pairs.append((key, int(value) if value.removeprefix("-").isdecimal() else value))
    return tuple(pairs)


def _threads(theirs: TensorFlowServingFlags) -> ThreadSettings:
    from serving.models.runner import ThreadSettings  # noqa: PLC0415 - as above

    both = theirs.tensorflow_session_parallelism
    within, between = theirs.tensorflow_intra_op_parallelism, theirs.tensorflow_inter_op_parallelism
    if both and (within or between):
        other = "--tensorflow_intra_op_parallelism" if within else "--tensorflow_inter_op_parallelism"
        raise _contradiction("--tensorflow_session_parallelism", other, "the first sets both")
    usual = ThreadSettings()
    return ThreadSettings(within=within or both or usual.within, between=between or both or usual.between)


def _or_usual(value: Any, usual: Any) -> Any:
    return usual if value is None else value


def _or_off(port: int | None) -> int | str | None:
    return OFF if port == 0 else port


def _one_of(flag: str, value: Any, their_flag: str, their_value: Any) -> Any:
    """The value that was given; both may be if they are equal."""
    if value is not None and their_value is not None and value != their_value:
        raise _contradiction(f"{flag}={value}", f"{their_flag}={their_value}", "they mean the same thing")
    return value if value is not None else their_value


def _contradiction(one: str, other: str, why: str) -> BadInput:
    return BadInput(
        f"{one} and {other} contradict each other: {why}.",
        got=f"{one} and {other}",
        expected="one of the two",
        fix="Leave one out.",
    )
