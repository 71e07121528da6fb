"""TensorFlow Serving's flags beside our own: each means what it says, and what contradicts is refused at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.cli.serve import command
from pitfalls_tf.cli.serve.combination import read_addresses, read_limits, read_model_repository
from pitfalls_tf.cli.serve.limit_flags import LimitFlags, limit_flags
from pitfalls_tf.cli.serve.own_flags import OwnFlags, own_flags
from pitfalls_tf.cli.serve.tensorflow_serving_flags import TensorFlowServingFlags, tensorflow_serving_flags
from pitfalls_tf.cli.serve.unused_flags import REFUSED, TAKEN, without_effect
from serving.grpc_api.server import GrpcSettings
from serving.inference.batching import BatchSettings
from serving.models.loading import LoadSettings
from serving.models.model_list import ConfigFile, ModelsFolder, SingleModel
from serving.models.runner import ThreadSettings
from serving.models.version_status import RetryPolicy, VersionSettings
from serving.server.settings import Limits, ModelRepositorySettings
from serving.transport.http_settings import HttpSettings
from serving.transport.limits import ConnectionTimeouts
from serving.transport.sockets import Address

if TYPE_CHECKING:
    from pathlib import Path


class Given:
    """What a command line comes to."""

    def __init__(self, *arguments: str) -> None:
        @click.command()
        @own_flags
        @limit_flags
        @tensorflow_serving_flags
        def verb(own: OwnFlags, limits: LimitFlags, tensorflow_serving: TensorFlowServingFlags) -> int:
            self.own, self.given, self.theirs = own, limits, tensorflow_serving
            return 0

        verb.main(list(arguments), standalone_mode=False)
        self.said: list[str] = []

    def repository(self) -> ModelRepositorySettings:
        return read_model_repository(self.own, self.theirs, self.said.append)

    def limits(self) -> Limits:
        return read_limits(self.theirs, self.given, self.said.append)

    def ports(self) -> tuple[Any, ...]:
        rest, grpc = read_addresses(self.own, self.theirs, self.given)
        return (None if rest is None else rest.port, None if grpc is None else (grpc.address.port, grpc.is_required))


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
def test_ports_by_either_name(arguments: tuple[str, ...], ports: tuple[Any, ...]) -> None:
    assert Given(*arguments).ports() == ports


def test_a_model_repository_by_our_own_flags(tmp_path: Path) -> None:
    repository = Given(
        "--models", str(tmp_path), "--label", "m:a=1", "--poll-seconds=0.5", "--no-zero-is-newest"
    ).repository()
    source = ModelsFolder(folder=tmp_path, labels={"m": {"a": 1}})
    assert repository == ModelRepositorySettings(
        source=source, poll_s=0.5, versions=VersionSettings(newest_is_zero=False)
    )


def test_a_model_repository_by_tensorflow_servings_flags(tmp_path: Path) -> None:
    given = Given(
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
    assert given.repository() == ModelRepositorySettings(
        source=SingleModel(name="m", base=tmp_path),
        poll_s=0.0,
        loading=LoadSettings(warm_ups=0, tags=("serve", "gpu"), threads=ThreadSettings(within=2)),
        versions=VersionSettings(retries=RetryPolicy(count=2, interval_s=1.5)),
        may_label_unavailable=True,
    )


def test_a_config_file_outweighs_the_single_model_of_the_images_start_script(tmp_path: Path) -> None:
    file = tmp_path / "models.config"
    given = Given(
        "--model_name=model",
        "--model_base_path=/models/model",
        f"--model_config_file={file}",
        "--model_config_file_poll_wait_seconds=30",
    )
    assert given.repository() == ModelRepositorySettings(source=ConfigFile(path=file), config_poll_s=30.0)
    assert sorted(given.said) == [
        "--model_base_path does nothing here: --model_config_file lists the models.",
        "--model_name does nothing here: --model_config_file lists the models.",
    ]


def test_limits(tmp_path: Path) -> None:
    assert Given().limits() == Limits()
    monitoring, batching = tmp_path / "monitoring", tmp_path / "batching"
    monitoring.write_text('prometheus_config { enable: true path: "/metrics" }')
    batching.write_text("max_batch_size { value: 32 } num_batch_threads { value: 4 }")
    given = Given(
        "--rest_api_timeout_in_ms=0",
        "--rest_api_enable_cors_support=true",
        f"--monitoring_config_file={monitoring}",
        "--enable_batching",
        f"--batching_parameters_file={batching}",
    )
    limits = given.limits()
    assert limits.timeout_s is None
    assert (limits.http.cors, limits.http.metrics_path) == (True, "/metrics")
    assert limits.batches == BatchSettings(max_rows=32, refuse_larger=True, max_waiting=320)
    assert len(given.said) == 1
    assert given.said[0].startswith("num_batch_threads ")


def test_bounds_of_what_clients_take() -> None:
    given = Given(
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
    limits = given.limits()
    timeouts = ConnectionTimeouts(idle_s=9.0, request_s=10.0, bytes_per_s=11.0)
    assert limits.http == HttpSettings(body_bytes=2048, held_bytes=4096, connections=5, timeouts=timeouts)
    assert limits.drain_s == 12.0
    _, door = read_addresses(given.own, given.theirs, given.given)
    assert door is not None
    settings = GrpcSettings(message_bytes=2048, connections=13, calls=6, streams=7, idle_s=8.0)
    assert (door.settings, door.is_required) == (settings, False)
    with pytest.raises(BadInput, match="the largest request would never fit"):
        Given("--max-held-bytes=2048").limits()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "There is nothing to say which models to serve"),
        (("--models=m", "--model_config_file=f"), "--models and --model_config_file contradict"),
        (("--model_base_path=absent",), "The folder of the model cannot be found"),
        (("--model_base_path=gs://bucket/m",), "Mount or copy it here"),
        (("--models=m", "--poll-seconds=2", "--file_system_poll_wait_seconds=3"), "they mean the same thing"),
        (
            ("--models=m", "--tensorflow_session_parallelism=2", "--tensorflow_inter_op_parallelism=1"),
            "--tensorflow_session_parallelism and --tensorflow_inter_op_parallelism contradict",
        ),
        (("--rest-port=1", "--rest_api_port=2"), "--rest-port=1 and --rest_api_port=2 contradict"),
        (("--grpc-port=off", "--port=2"), "--grpc-port=off and --port=2 contradict"),
        (("--rest_api_port=0", "--port=0"), "nobody could reach the server"),
        (("--rest_api_port=7", "--port=7"), "each needs its own port"),
        (("--port=0", "--ssl_config_file=f"), "only gRPC is encrypted"),
        (("--grpc_channel_arguments=a",), "This is no channel argument"),
        (("--batching_parameters_file=f",), "--batching_parameters_file and no --enable_batching contradict"),
    ],
)
def test_what_contradicts_is_refused(
    arguments: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = Given(*arguments)
    with pytest.raises(BadInput, match=re.escape(message)):
        (given.ports(), given.limits(), given.repository())


def test_a_flag_whose_value_is_no_truth_is_refused() -> None:
    with pytest.raises(click.BadParameter, match="'maybe' is neither true nor false"):
        Given("--enable_batching=maybe")


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_had_is_refused_with_its_reason(name: str) -> None:
    reason, fix = REFUSED[name]
    with pytest.raises(BadInput) as caught:
        without_effect({name: "true"})
    assert reason in str(caught.value)
    assert fix in str(caught.value)
    assert without_effect({name: "false"}) == ()


def test_what_only_tunes_is_taken_with_a_line() -> None:
    assert len(without_effect(dict.fromkeys(TAKEN, "1"))) == len(TAKEN)


def test_every_flag_of_theirs_is_in_the_reference(pytestconfig: pytest.Config) -> None:
    page = (pytestconfig.rootpath / "docs/reference/serving.md").read_text("utf-8")
    section = page.partition("\n## TensorFlow Serving's flags\n")[2].partition("\n## ")[0]
    table = set(re.findall(r"`--([a-z_]{2,})`", section))
    theirs = {
        parameter.name
        for parameter in command.params
        if isinstance(parameter, click.Option) and any("_" in flag for flag in parameter.opts)
    }
    assert theirs | {"port"} == table & (theirs | {"port"})
    assert table <= theirs | {"port", "workers", "models", "host", "traffic"}


def test_the_address_of_a_port_in_use_is_named_by_the_flag_that_gave_it() -> None:
    given = Given("--port=1", "--rest_api_port=2")
    rest, grpc = read_addresses(given.own, given.theirs, given.given)
    assert rest == Address(port=2, flag="--rest_api_port")
    assert grpc is not None
    assert grpc.address == Address(port=1, flag="--port")
