"""TensorFlow Serving's smaller files, as settings of ours: monitoring, batching, encryption."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monitoring.errors import BadInput
from serving.inference.batching import BatchSettings
from serving.tf_serving.messages import batching_parameters, monitoring_config, ssl_config
from serving.tf_serving.text_format import read_text_file
from serving.transport.http_settings import METRICS_PATH

if TYPE_CHECKING:
    from pathlib import Path

    import grpc

# What TensorFlow Serving takes where its file says nothing.
MAX_BATCH_SIZE = 1000
MAX_ENQUEUED_BATCHES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchingFile:
    """What a file of batching parameters comes to here."""

    settings: BatchSettings
    ignored: tuple[str, ...]
    """Parameters of the file that have no counterpart."""


def read_monitoring_file(path: Path) -> str | None:
    """Where the Prometheus page is to be; None for nowhere.

    Raises:
        BadInput: the file cannot be used, or its path is none.
    """
    config = read_text_file(path, monitoring_config(), flag="--monitoring_config_file").prometheus_config
    if not config.enable:
        return None
    if config.path and not config.path.startswith("/"):
        raise BadInput(
            f"{path} cannot be used.",
            got=f"prometheus_config.path {config.path!r}",
            expected="a path that begins with /",
            fix=f'For example path: "{METRICS_PATH}".',
        )
    return config.path or METRICS_PATH


def usual_batching() -> BatchSettings:
    """How TensorFlow Serving joins requests when it is told to, and not how."""
    return BatchSettings(max_rows=MAX_BATCH_SIZE, refuse_larger=True, max_waiting=MAX_BATCH_SIZE * MAX_ENQUEUED_BATCHES)


def read_batching_file(path: Path) -> BatchingFile:
    """How requests are joined, by a file of batching parameters.

    Requests wait for no timer and no thread of their own here, so the parameters that tune those have no counterpart.

    Raises:
        BadInput: the file cannot be used, or a size in it is not positive.
    """
    given = read_text_file(path, batching_parameters(), flag="--batching_parameters_file")
    rows = _positive(path, given, "max_batch_size", MAX_BATCH_SIZE)
    batches = _positive(path, given, "max_enqueued_batches", MAX_ENQUEUED_BATCHES)
    used = {"max_batch_size", "max_enqueued_batches", "enable_large_batch_splitting"}
    is_split = given.enable_large_batch_splitting.value
    return BatchingFile(
        settings=BatchSettings(max_rows=rows, refuse_larger=not is_split, max_waiting=rows * batches),
        ignored=tuple(field.name for field, _ in given.ListFields() if field.name not in used),
    )


def read_ssl_file(path: Path) -> grpc.ServerCredentials:
    """The credentials of the gRPC server: key and certificate in PEM, and whether clients must show theirs.

    Raises:
        BadInput: the file cannot be used, or lacks key or certificate.
    """
    import grpc  # noqa: PLC0415 - only whoever has such a file

    given = read_text_file(path, ssl_config(), flag="--ssl_config_file")
    missing = [name for name in ("server_key", "server_cert") if not getattr(given, name).strip()]
    if given.client_verify and not given.custom_ca.strip():
        missing.append("custom_ca, which client_verify needs")
    if missing:
        raise BadInput(
            f"{path} cannot be used.",
            got=f"no {', no '.join(missing)}",
            expected="key and certificate in PEM",
            fix='Write them into the file: server_key: "-----BEGIN ...", with \\n at the end of each line.',
        )
    return grpc.ssl_server_credentials(
        [(given.server_key.encode(), given.server_cert.encode())],
        root_certificates=given.custom_ca.encode() or None,
        require_client_auth=given.client_verify,
    )


def _positive(path: Path, given: Any, name: str, usual: int) -> int:
    number = int(getattr(given, name).value) if given.HasField(name) else usual
    if number < 1:
        raise BadInput(
            f"{path} cannot be used.", got=f"{name} {number}", expected="a number of at least 1", fix="Mend it."
        )
    return number
