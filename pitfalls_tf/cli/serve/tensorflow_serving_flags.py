"""TensorFlow Serving's own flags, under their own names: a start script needs its first word changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pitfalls_tf.cli.serve.groups import option_group

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorFlowServingFlags:
    """What was given of them; None: not given."""

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
    allow_version_labels_for_unavailable_models: bool | None
    enable_model_warmup: bool | None
    num_request_iterations_for_warmup: int | None
    max_num_load_retries: int | None
    load_retry_interval_micros: int | None
    saved_model_tags: str | None
    tensorflow_session_parallelism: int | None
    tensorflow_intra_op_parallelism: int | None
    tensorflow_inter_op_parallelism: int | None
    ssl_config_file: Path | None
    grpc_channel_arguments: str | None


class Truth(click.ParamType[bool]):
    """TensorFlow Serving's booleans: ``--x``, ``--x=true``, ``--x=false``."""

    name = "boolean"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bool:
        """True or false; ``1`` and ``0`` too."""
        words = {"true": True, "1": True, "false": False, "0": False}
        if isinstance(value, bool):
            return value
        if str(value).lower() not in words:
            self.fail(f"{value!r} is neither true nor false.", param, ctx)
        return words[str(value).lower()]


def _truth(flag: str, text: str) -> Callable[..., Any]:
    return click.option(flag, is_flag=False, flag_value="true", type=Truth(), help=text)


def _value(flag: str, kind: Any, text: str) -> Callable[..., Any]:
    return click.option(flag, type=kind, help=text)


FILE = click.Path(path_type=Path)
COUNT = click.IntRange(0)
PORT = click.IntRange(0, 65535)

tensorflow_serving_flags = option_group(
    "tensorflow_serving",
    TensorFlowServingFlags,
    (
        _value("--model_name", str, "Name of the model in --model_base_path.  [default: default]"),
        _value("--model_base_path", str, "Folder of one model's numbered versions."),
        _value("--model_config_file", FILE, "Lists models: a ModelServerConfig in protobuf's text format."),
        _value("--model_config_file_poll_wait_seconds", COUNT, "Between looks at that file; 0: at the start only."),
        _value("--file_system_poll_wait_seconds", int, "As --poll-seconds; negative: at the start only."),
        _value("--port", PORT, "As --grpc-port, but 0 means no gRPC."),
        _value("--rest_api_port", PORT, "As --rest-port, but 0 means no REST."),
        _value("--rest_api_timeout_in_ms", int, "How long a request may take; 0: for ever.  [default: 30000]"),
        _truth("--rest_api_enable_cors_support", "Send CORS headers with every REST answer."),
        _value("--monitoring_config_file", FILE, "Says where the Prometheus page is: a MonitoringConfig."),
        _truth("--enable_batching", "Join requests by the batching parameters; without it, by our own."),
        _value("--batching_parameters_file", FILE, "How large batches and their queue may be: BatchingParameters."),
        _truth("--allow_version_labels_for_unavailable_models", "A reload may label versions that are still to come."),
        _truth("--enable_model_warmup", "Replay a version's warmup records before it answers.  [default: true]"),
        _value("--num_request_iterations_for_warmup", COUNT, "How often each is replayed.  [default: 1]"),
        _value("--max_num_load_retries", COUNT, "Tries after a version's first that failed.  [default: 5]"),
        _value("--load_retry_interval_micros", COUNT, "Between such tries.  [default: 60000000]"),
        _value("--saved_model_tags", str, "Tags of the graph to serve, with commas.  [default: serve]"),
        _value("--tensorflow_session_parallelism", COUNT, "Threads within and between a model's operations."),
        _value("--tensorflow_intra_op_parallelism", COUNT, "Threads within one operation."),
        _value("--tensorflow_inter_op_parallelism", COUNT, "Threads between operations."),
        _value("--ssl_config_file", FILE, "Key and certificates of the gRPC server: an SSLConfig."),
        _value("--grpc_channel_arguments", str, "gRPC's own settings: KEY=VALUE,KEY=VALUE"),
    ),
)
