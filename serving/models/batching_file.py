"""TensorFlow Serving's files of batching parameters: one for all models, or one in each version's folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from monitoring.errors import BadInput
from serving.models.batch_settings import BatchSettings
from serving.tf_serving.messages import batching_parameters
from serving.tf_serving.text_format import read_text_file

FLAG = "--batching_parameters_file"
#: In a version's folder, read with --enable_per_model_batching_parameters.
FILE_NAME = "batching_params.pbtxt"
# TensorFlow Serving's defaults.
MAX_BATCH_SIZE = 1000
MAX_ENQUEUED_BATCHES = 10
# Parameter: why it has no effect.
IGNORED: Mapping[str, str] = {
    "batch_timeout_micros": "a batch starts as soon as the one before it ends",
    "pad_variable_length_inputs": "requests of different shapes run in batches of their own",
    "thread_pool_name": "all models run in one pool of threads",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchingFile:
    """The settings in a file of batching parameters."""

    settings: BatchSettings
    ignored: Mapping[str, str]
    """Parameters of the file that have no effect, each with the reason."""


def default_batching() -> BatchSettings:
    """TensorFlow Serving's batching where ``--enable_batching`` is given without a file of parameters."""
    return BatchSettings(max_rows=MAX_BATCH_SIZE, refuse_larger=True, max_waiting=MAX_BATCH_SIZE * MAX_ENQUEUED_BATCHES)


def read_batching_file(path: Path) -> BatchingFile:
    """Read a ``BatchingParameters`` file.

    Batches wait for no timer here, so parameters that tune it are ignored.
    """
    parameters = read_text_file(path, batching_parameters(), flag=FLAG)
    rows = _positive(path, parameters, "max_batch_size", MAX_BATCH_SIZE)
    batches = _positive(path, parameters, "max_enqueued_batches", MAX_ENQUEUED_BATCHES)
    is_split = parameters.enable_large_batch_splitting.value
    run_rows = _positive(path, parameters, "max_execution_batch_size", rows) if is_split else rows
    threads = _positive(path, parameters, "num_batch_threads", 1) if parameters.HasField("num_batch_threads") else None
    allowed = tuple(parameters.allowed_batch_sizes)
    problem = _problem(allowed, run_rows, rows, is_split=is_split)
    if problem:
        raise BadInput(
            f"{path} cannot be used.",
            got=problem,
            expected="sizes in ascending order, of which the last is the largest batch that is run",
            fix=f"For example allowed_batch_sizes: 1, allowed_batch_sizes: {run_rows}.",
        )
    return BatchingFile(
        settings=BatchSettings(
            max_rows=rows,
            refuse_larger=not is_split,
            max_waiting=rows * batches,
            allowed_rows=allowed,
            max_run_rows=run_rows if is_split else None,
            runs=threads,
        ),
        ignored={field.name: IGNORED[field.name] for field, _ in parameters.ListFields() if field.name in IGNORED},
    )


def read_own_batching(folder: Path) -> BatchSettings | None:
    """Read the batching parameters of one version. Returns the settings; None if the folder has no such file."""
    path = folder / FILE_NAME
    return read_batching_file(path).settings if path.exists() else None


def _problem(allowed: tuple[int, ...], run_rows: int, max_rows: int, *, is_split: bool) -> str:
    """What is wrong with the allowed sizes, in TensorFlow Serving's words; empty if nothing is."""
    if not allowed:
        return ""
    last, name = allowed[-1], "max_execution_batch_size" if is_split else "max_batch_size"
    if allowed[0] <= 0 or any(size >= next_one for size, next_one in pairwise(allowed)):
        return "allowed_batch_sizes entries must be monotonically increasing"
    if last > max_rows:
        return (
            "Last entry in allowed_batch_sizes must be less than or equal to max_batch_size; "
            f"last entry was {last}; expected {max_rows}"
        )
    if last != run_rows:
        verb = "be equal to" if is_split else "match"
        return f"Last entry in allowed_batch_sizes must {verb} {name}; last entry was {last}; expected {run_rows}"
    return ""


def _positive(path: Path, parameters: Any, name: str, default: int) -> int:
    number = int(getattr(parameters, name).value) if parameters.HasField(name) else default
    if number < 1:
        raise BadInput(
            f"{path} cannot be used.", got=f"{name} {number}", expected="a number of at least 1", fix=f"Correct {name}."
        )
    return number
