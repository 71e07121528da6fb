"""TensorFlow Serving's flags under their own names: in a start script only the command changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from pitfalls_tf.cli.serve.option_groups import option_group


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorFlowServingFlags:
    """Values of the flags; None if not given."""

    model_name: str | None
    model_base_path: str | None
    model_config_file: Path | None
    model_config_file_poll_wait_seconds: int | None
    file_system_poll_wait_seconds: int | None
    port: int | None
    rest_api_port: int | None
    rest_api_timeout_in_ms: int | None
    rest_api_enable_cors_support: bool | None
    monitoring_config_file: Path | None
    enable_batching: bool | None
    batching_parameters_file: Path | None
    enable_per_model_batching_parameters: bool | None
    allow_version_labels_for_unavailable_models: bool | None
    enable_model_warmup: bool | None
    num_request_iterations_for_warmup: int | None
    max_num_load_retries: int | None
    load_retry_interval_micros: int | None
    saved_model_tags: str | None
    tensorflow_session_parallelism: int | None
    tensorflow_intra_op_parallelism: int | None
    tensorflow_inter_op_parallelism: int | None
    per_process_gpu_memory_fraction: float | None
    ssl_config_file: Path | None
    grpc_channel_arguments: str | None
    grpc_socket_path: Path | None


class BooleanFlag(click.ParamType[bool]):
    """Parameter type of TensorFlow Serving's booleans: ``--x``, ``--x=true``, ``--x=false``."""

    name = "boolean"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bool:
        """Parse true, false, 1 or 0."""
        words = {"true": True, "1": True, "false": False, "0": False}
        if isinstance(value, bool):
            return value
        if str(value).lower() not in words:
            self.fail(f"{value!r} is neither true nor false.", param, ctx)
        return words[str(value).lower()]


def _boolean(flag: str, text: str) -> Callable[..., Any]:
    return click.option(flag, is_flag=False, flag_value="true", type=BooleanFlag(), help=text)


def _value(flag: str, kind: Any, text: str) -> Callable[..., Any]:
    return click.option(flag, type=kind, help=text)


FILE = click.Path(path_type=Path)
COUNT = click.IntRange(0)
PORT = click.IntRange(0, 65535)


def _show_version(context: click.Context, _: click.Parameter, value: bool | None) -> None:
    if value:
        click.echo(f"pitfalls {version('pitfalls-tf')}\nTensorFlow {version('tensorflow')}")
        context.exit()


version_flag = click.option(
    "--version",
    is_flag=False,
    flag_value="true",
    type=BooleanFlag(),
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the versions of pitfalls and TensorFlow.",
)

tensorflow_serving_flags = option_group(
    "tensorflow_serving",
    TensorFlowServingFlags,
    (
        _value("--model_name", str, "Name of the model in --model_base_path.  [default: default]"),
        _value("--model_base_path", str, "Folder of one model's numbered versions."),
        _value("--model_config_file", FILE, "List of models: a ModelServerConfig in protobuf text format."),
        _value("--model_config_file_poll_wait_seconds", COUNT, "Interval of checks of it; 0: only at start."),
        _value("--file_system_poll_wait_seconds", int, "As --poll-seconds; negative: only at start."),
        _value("--port", PORT, "As --grpc-port, but 0 switches gRPC off."),
        _value("--rest_api_port", PORT, "As --rest-port, but 0 switches REST off."),
        _value("--rest_api_timeout_in_ms", int, "Timeout of a request; 0: none.  [default: 30000]"),
        _boolean("--rest_api_enable_cors_support", "Send CORS headers with every REST response."),
        _value("--monitoring_config_file", FILE, "Path of the Prometheus metrics: a MonitoringConfig."),
        _boolean("--enable_batching", "Batch requests by the batching parameters instead of pitfalls' own."),
        _value("--batching_parameters_file", FILE, "Sizes of batches and their queue: BatchingParameters."),
        _boolean(
            "--enable_per_model_batching_parameters", "Read them from batching_params.pbtxt in each version's folder."
        ),
        _boolean(
            "--allow_version_labels_for_unavailable_models", "A reload may label versions that are not available yet."
        ),
        _boolean("--enable_model_warmup", "Replay a version's warmup records before it serves.  [default: true]"),
        _value("--num_request_iterations_for_warmup", COUNT, "Number of replays.  [default: 1]"),
        _value("--max_num_load_retries", COUNT, "Retries after a failed load.  [default: 5]"),
        _value("--load_retry_interval_micros", COUNT, "Interval of retries.  [default: 60000000]"),
        _value("--saved_model_tags", str, "Tags of the graph to serve, separated by commas.  [default: serve]"),
        _value("--tensorflow_session_parallelism", COUNT, "Threads within and between a model's operations."),
        _value("--tensorflow_intra_op_parallelism", COUNT, "Threads within one operation."),
        _value("--tensorflow_inter_op_parallelism", COUNT, "Threads between operations."),
        _value(
            "--per_process_gpu_memory_fraction",
            click.FloatRange(0, 1),
            "Share of a GPU's memory that a process reserves; 0: what models need.  [default: 0]",
        ),
        _value("--ssl_config_file", FILE, "Key and certificates of the gRPC server: an SSLConfig."),
        _value("--grpc_channel_arguments", str, "gRPC channel arguments: KEY=VALUE,KEY=VALUE"),
        _value("--grpc_socket_path", FILE, "Unix socket on which gRPC listens, too."),
    ),
)
