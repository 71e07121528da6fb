"""Loads a version's folder into a runner that is ready to answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from monitoring.errors import BadInput
from serving.metrics.model_metrics import ModelCounts
from serving.models.batching_file import read_own_batching
from serving.models.gpus import GpuSettings
from serving.models.runner import LoadError, Runner, ThreadSettings
from serving.models.version_folders import check_files
from serving.models.warmup import warm_up
from serving.status import Code


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSettings:
    """How every version is loaded."""

    warm_ups: int = 1
    """How often the warmup records are replayed; 0 skips them."""
    tags: tuple[str, ...] = ("serve",)
    """Tags of the graph within the SavedModel."""
    threads: ThreadSettings = field(default_factory=ThreadSettings)
    allowed_operations: tuple[str, ...] = ()
    """Operations that a graph may have, too; `serving.models.runner.ANY_OPERATION` stands for all."""
    gpus: GpuSettings = field(default_factory=GpuSettings)
    op_libraries: tuple[Path, ...] = ()
    """Shared libraries of operations that TensorFlow does not have."""
    reads_batching: bool = False
    """Whether a version's folder may have batching parameters of its own."""


def load_version(
    path: Path,
    loading: LoadSettings | None = None,
    *,
    counts: ModelCounts | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Runner:
    """Load a version and warm it up.

    Args:
        clock: Seconds.

    Raises:
        LoadError: The version cannot be loaded, or a warmup record fails.
    """
    how = loading or LoadSettings()
    begin = clock()
    try:
        check_files(path)
        batching = read_own_batching(path) if how.reads_batching else None
        runner = Runner(
            path, tags=how.tags, threads=how.threads, gpus=how.gpus, allowed_operations=how.allowed_operations
        )
        runner.batching = batching
    except BadInput as error:
        if counts is not None:
            counts.not_loaded(path)
        raise LoadError(str(error), Code.INVALID_ARGUMENT) from error
    except LoadError:
        if counts is not None:
            counts.not_loaded(path)
        raise
    if counts is not None:
        counts.loaded(path, (clock() - begin) * 1e6)
    begin, records, status = clock(), 0, "INTERNAL"
    try:
        for _ in range(how.warm_ups):
            records = warm_up(runner, path)
        status = "OK"
    except LoadError as error:
        status = error.code.name
        raise
    finally:
        if counts is not None and (records or status != "OK"):
            counts.warmed_up(path, records=records, latency_us=(clock() - begin) * 1e6, status=status)
        if status != "OK":
            runner.close()
    return runner
