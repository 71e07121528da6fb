"""Flags of TensorFlow's sessions: threads and GPUs, and the processes that GPUs need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitoring.errors import BadInput
from pitfalls_tf.cli.serve.contradictions import contradiction

if TYPE_CHECKING:
    from pitfalls_tf.cli.serve.server_flags import ServerFlags
    from pitfalls_tf.cli.serve.tensorflow_serving_flags import TensorFlowServingFlags
    from serving.models.gpus import GpuSettings
    from serving.models.runner import ThreadSettings


def read_gpus(flags: ServerFlags, tf_flags: TensorFlowServingFlags) -> GpuSettings:
    """The GPUs to answer on, and the share of their memory that is reserved."""
    from serving.models.gpus import GpuSettings  # noqa: PLC0415 - not needed for --help

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
    from serving.models.runner import ThreadSettings  # noqa: PLC0415 - as above

    both = tf_flags.tensorflow_session_parallelism
    within, between = tf_flags.tensorflow_intra_op_parallelism, tf_flags.tensorflow_inter_op_parallelism
    if both and (within or between):
        other = "--tensorflow_intra_op_parallelism" if within else "--tensorflow_inter_op_parallelism"
        raise contradiction("--tensorflow_session_parallelism", other, "the first sets both")
    default = ThreadSettings()
    return ThreadSettings(within=within or both or default.within, between=between or both or default.between)
