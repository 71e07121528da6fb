"""Both kinds of flags combined into settings; contradictions are refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from monitoring.errors import BadInput
from pitfalls_tf.cli.serve.server_settings import cache_folder, read_gpus, read_threads, worker_count
from serving.grpc_api.server import GrpcSettings
from serving.http2.connection_settings import ConnectionSettings
from serving.models.batch_settings import BatchSettings
from serving.models.gpus import GpuSettings
from serving.models.loading import LoadSettings
from serving.models.model_cache import ModelCacheSettings
from serving.models.model_list import ConfigFile, ModelsFolder, ModelsUrl, SingleModel
from serving.models.runner import ThreadSettings
from serving.models.served_version import RetryPolicy, VersionSettings
from serving.server.settings import Limits, ModelRepositorySettings
from serving.transport.http_settings import HttpSettings
from serving.transport.limits import ConnectionTimeouts
from serving.transport.sockets import Address
from tests.pitfalls_tf.cli.serve.parsed_flags import ParsedFlags

#: The names that a server on 127.0.0.1 answers to.
LOCAL = frozenset({"localhost"})


@pytest.mark.parametrize(
    ("arguments", "ports"),
    [
        ((), (8501, (8500, False))),
        (("--port=9000", "--rest_api_port=9001"), (9001, (9000, True))),
        (("--port", "9000", "--rest_api_port", "0"), (None, (9000, True))),
        (("--port=0",), (8501, None)),
        (("--rest-port=0", "--grpc-port=0"), (0, (0, True))),
        (("--rest-port=9001", "--rest_api_port=9001", "--grpc-port=off"), (9001, None)),
    ],
)
def test_ports_are_set_by_flags_of_either_kind(arguments: tuple[str, ...], ports: tuple[Any, ...]) -> None:
    assert ParsedFlags(*arguments).ports() == ports


def test_a_model_repository_is_set_by_pitfalls_flags(tmp_path: Path) -> None:
    repository = ParsedFlags(
        "--models", str(tmp_path), "--label", "m:a=1", "--poll-seconds=0.5", "--no-zero-is-newest"
    ).repository()
    source = ModelsFolder(folder=tmp_path, labels={"m": {"a": 1}})
    assert repository == ModelRepositorySettings(
        source=source, poll_s=0.5, versions=VersionSettings(newest_is_zero=False), cache=repository.cache
    )


def test_a_model_repository_is_set_by_tensorflow_servings_flags(tmp_path: Path) -> None:
    flags = ParsedFlags(
        f"--model_base_path={tmp_path}",
        "--model_name=m",
        "--file_system_poll_wait_seconds=-1",
        "--enable_model_warmup=false",
        "--max_num_load_retries=2",
        "--load_retry_interval_micros=1500000",
        "--saved_model_tags=serve,gpu",
        "--tensorflow_intra_op_parallelism=2",
        "--allow_version_labels_for_unavailable_models",
    )
    repository = flags.repository()
    assert repository == ModelRepositorySettings(
        source=SingleModel(name="m", base=tmp_path),
        cache=repository.cache,
        waits_for_models=False,
        poll_s=0.0,
        loading=LoadSettings(warm_ups=0, tags=("serve", "gpu"), threads=ThreadSettings(within=2)),
        versions=VersionSettings(retries=RetryPolicy(count=2, interval_s=1.5)),
        may_label_unavailable=True,
    )


def test_a_config_file_overrides_the_single_model_of_the_images_start_script(tmp_path: Path) -> None:
    file = tmp_path / "models.config"
    flags = ParsedFlags(
        "--model_name=model",
        "--model_base_path=/models/model",
        f"--model_config_file={file}",
        "--model_config_file_poll_wait_seconds=30",
    )
    repository = flags.repository()
    assert (repository.source, repository.config_poll_s) == (ConfigFile(path=file), 30.0)
    assert sorted(flags.reported) == [
        "--model_base_path has no effect: --model_config_file lists the models.",
        "--model_name has no effect: --model_config_file lists the models.",
    ]


def test_timeouts_metrics_path_and_batching_are_set_by_flags_and_files(tmp_path: Path) -> None:
    assert ParsedFlags().limits() == Limits(http=HttpSettings(hosts=LOCAL))
    monitoring, batching = tmp_path / "monitoring", tmp_path / "batching"
    monitoring.write_text('prometheus_config { enable: true path: "/metrics" }')
    batching.write_text("max_batch_size { value: 32 } num_batch_threads { value: 4 } batch_timeout_micros { value: 9 }")
    arguments = (
        "--rest_api_timeout_in_ms=0",
        "--rest_api_enable_cors_support=true",
        f"--monitoring_config_file={monitoring}",
        "--enable_batching",
        f"--batching_parameters_file={batching}",
    )
    flags = ParsedFlags(*arguments)
    limits = flags.limits()
    assert limits.timeout_s is None
    assert (limits.http.cors, limits.http.metrics_path) == (True, "/metrics")
    assert limits.batches == BatchSettings(max_rows=32, refuse_larger=True, max_waiting=320, runs=4)
    assert len(flags.reported) == 1
    assert flags.reported[0].startswith("batch_timeout_micros ")
    flags = ParsedFlags(*arguments, "--enable_per_model_batching_parameters")
    assert flags.limits().batches == BatchSettings(runs=4), "the common file's threads alone, as there"


def test_limits_of_clients_are_set_by_flags() -> None:
    flags = ParsedFlags(
        "--max-request-bytes=2048",
        "--max-held-bytes=4096",
        "--max-connections=5",
        "--max-grpc-connections=13",
        "--max-grpc-calls=6",
        "--max-grpc-streams=7",
        "--grpc-idle-seconds=8",
        "--idle-seconds=9",
        "--request-seconds=10",
        "--slow-client-bytes=11",
        "--drain-seconds=12",
    )
    limits = flags.limits()
    timeouts = ConnectionTimeouts(idle_s=9.0, request_s=10.0, bytes_per_s=11.0)
    http = HttpSettings(body_bytes=2048, held_bytes=4096, connections=5, timeouts=timeouts, hosts=LOCAL)
    assert limits.http == http
    assert limits.drain_s == 12.0
    _, listener = flags.addresses()
    assert listener is not None
    connection = ConnectionSettings(message_bytes=2048, streams=7, idle_s=8.0, stall_s=10.0, bytes_per_s=11.0)
    settings = GrpcSettings(connections=13, calls=6, connection=connection)
    assert (listener.settings, listener.is_required) == (settings, False)
    with pytest.raises(BadInput, match="the largest request would never fit"):
        ParsedFlags("--max-held-bytes=2048").limits()


def test_channel_arguments_set_what_there_is_and_the_others_are_told() -> None:
    arguments = {
        "grpc.max_concurrent_streams": 7,
        "grpc.max_receive_message_length": -1,
        "grpc.max_connection_idle_ms": 8000,
        "grpc.max_connection_age_ms": 9000,
        "grpc.max_connection_age_grace_ms": 1500,
        "grpc.keepalive_time_ms": 10_000,
        "grpc.keepalive_timeout_ms": 11_000,
        "grpc.so_reuseport": 0,
    }
    flags = ParsedFlags("--grpc_channel_arguments=" + ",".join(f"{key}={value}" for key, value in arguments.items()))
    _, listener = flags.addresses()
    assert listener is not None
    connection = ConnectionSettings(
        message_bytes=(1 << 31) - 1,
        streams=7,
        idle_s=8.0,
        age_s=9.0,
        age_grace_s=1.5,
        keepalive_s=10.0,
        keepalive_timeout_s=11.0,
    )
    assert (listener.settings, listener.is_required) == (GrpcSettings(connection=connection), True)
    assert flags.reported == [
        "The channel argument grpc.so_reuseport has no effect: the server does not use gRPC's library."
    ]


def test_a_unix_socket_needs_grpc() -> None:
    _, listener = ParsedFlags("--grpc_socket_path=tf-serving.sock").addresses()
    assert listener is not None
    assert (str(listener.socket_path), listener.address.port, listener.is_required) == ("tf-serving.sock", 8500, True)


def test_models_are_waited_for_unless_that_is_switched_off_or_nothing_would_come(tmp_path: Path) -> None:
    late = f"--model_base_path={tmp_path}/late"
    repository = ParsedFlags(late).repository()
    assert repository.waits_for_models
    assert [one.base for one in repository.source.read()] == [tmp_path / "late"]
    folder = f"--models={tmp_path}"
    assert not ParsedFlags(folder, "--no-wait-for-models").repository().waits_for_models
    assert not ParsedFlags(folder, "--file_system_poll_wait_seconds=-1").repository().waits_for_models


def test_models_at_urls_are_copied_to_a_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    flags = (f"--models=local://{tmp_path}/models", "--model-cache-gb=0.5", "--url-poll-seconds=7")
    repository = ParsedFlags(*flags).repository()
    assert isinstance(repository.source, ModelsUrl)
    cache = ModelCacheSettings(folder=tmp_path / "pitfalls" / "models", limit_bytes=500_000_000, poll_s=7)
    assert repository.cache == cache
    single = ParsedFlags("--model_base_path=local:///models/m", "--model_name=m").repository()
    assert [(one.name, one.url) for one in single.source.read()] == [("m", "local:///models/m")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "No models given"),
        (("--models=m", "--model_config_file=f"), "--models and --model_config_file contradict"),
        (("--model_base_path=absent", "--no-wait-for-models"), "The model's folder does not exist"),
        (("--model_base_path=no-such-scheme://bucket/m",), "No installed driver can open this URL"),
        (("--models=no-such-scheme://bucket",), "No installed driver can open this URL"),
        (("--models=m", "--poll-seconds=2", "--file_system_poll_wait_seconds=3"), "they set the same thing"),
        (
            ("--models=m", "--tensorflow_session_parallelism=2", "--tensorflow_inter_op_parallelism=1"),
            "--tensorflow_session_parallelism and --tensorflow_inter_op_parallelism contradict",
        ),
        (("--models=m", "--gpus=0,0"), "GPUs cannot be read"),
        (("--rest-port=1", "--rest_api_port=2"), "--rest-port=1 and --rest_api_port=2 contradict"),
        (("--grpc-port=off", "--port=2"), "--grpc-port=off and --port=2 contradict"),
        (("--rest_api_port=0", "--port=0"), "no API would be left"),
        (("--rest_api_port=7", "--port=7"), "each needs its own port"),
        (("--port=0", "--ssl_config_file=f"), "only gRPC uses TLS"),
        (("--port=0", "--grpc_socket_path=s"), "the socket is gRPC's"),
        (("--workers=2", "--grpc_socket_path=s"), "a Unix socket has one process"),
        (("--grpc_channel_arguments=a",), "Invalid channel argument"),
        (("--grpc_channel_arguments=grpc.keepalive_time_ms=0",), "Invalid channel argument"),
        (
            ("--max-grpc-streams=7", "--grpc_channel_arguments=grpc.max_concurrent_streams=8"),
            "--max-grpc-streams=7 and --grpc_channel_arguments with 8 contradict",
        ),
        (("--batching_parameters_file=f",), "--batching_parameters_file and no --enable_batching contradict"),
        (
            ("--enable_per_model_batching_parameters",),
            "--enable_per_model_batching_parameters and no --enable_batching contradict",
        ),
    ],
)
def test_contradictions_are_refused(
    arguments: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    flags = ParsedFlags(*arguments)
    with pytest.raises(BadInput, match=re.escape(message)):
        (flags.ports(), flags.limits(), flags.repository())


def test_an_address_names_the_flag_that_set_its_port() -> None:
    flags = ParsedFlags("--port=1", "--rest_api_port=2")
    rest, grpc = flags.addresses()
    assert rest == Address(port=2, flag="--rest_api_port")
    assert grpc is not None
    assert grpc.address == Address(port=1, flag="--port")


def test_each_gpu_has_one_process() -> None:
    flags = ParsedFlags("--gpus=0, GPU-8932f937", "--per_process_gpu_memory_fraction=0.5")
    assert worker_count(flags.server) == 2
    assert read_gpus(flags.server, flags.tensorflow_serving) == GpuSettings(
        devices=("0", "GPU-8932f937"), memory_fraction=0.5
    )
    assert worker_count(ParsedFlags("--gpus=0,1", "--workers=2").server) == 2
    with pytest.raises(BadInput, match="each GPU has one process"):
        worker_count(ParsedFlags("--gpus=0,1", "--workers=3").server)


def test_without_gpus_any_number_of_processes_shares_what_is_there() -> None:
    flags = ParsedFlags("--workers=3")
    assert worker_count(flags.server) == 3
    assert read_gpus(flags.server, flags.tensorflow_serving) == GpuSettings()


@pytest.mark.parametrize("given", ["0,", "1,1"])
def test_gpus_are_named_once_each(given: str) -> None:
    with pytest.raises(BadInput, match="GPUs cannot be read"):
        worker_count(ParsedFlags(f"--gpus={given}").server)


def test_one_flag_sets_both_numbers_of_threads() -> None:
    flags = ParsedFlags("--tensorflow_session_parallelism=3")
    assert read_threads(flags.tensorflow_serving) == ThreadSettings(within=3, between=3)


def test_files_become_a_folder_of_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert cache_folder("models") == tmp_path / "cache" / "pitfalls" / "models"
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "saved_model.pb").write_bytes(b"")
    source = ParsedFlags(f"--model={tmp_path}/net", "--model_name=own").repository().source
    assert isinstance(source, ModelsFolder)
    assert source.folder.parent == tmp_path / "cache" / "pitfalls" / "exports"
    assert [model.name for model in source.read()] == ["own"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--model=m.keras", "--models=DIR"), "--model and --models contradict"),
        (("--model=m.keras", "--model_base_path=DIR"), "--model and --model_base_path contradict"),
        (("--models=DIR", "--custom=layers.py"), "--custom and no --model contradict"),
        ((), r"Pass --model FILE\.keras, or --models DIR"),
    ],
)
def test_flags_that_contradict_are_refused(tmp_path: Path, arguments: tuple[str, ...], reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        ParsedFlags(*(each.replace("DIR", str(tmp_path)) for each in arguments)).repository()
