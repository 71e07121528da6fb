"""Which GPUs answer, one process for each, and how much of their memory a process takes.

Written by TensorFlow's documentation, and not tried yet: no machine with a GPU was at hand.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from monitoring.errors import CannotRun

#: Which devices CUDA shows to a process; read once, when TensorFlow first looks for them.
VISIBLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuSettings:
    """Devices, and the memory that is taken of each."""

    devices: tuple[str, ...] = ()
    """By number or UUID, one for each process, whose batches alone run on it; empty: what TensorFlow finds."""
    memory_fraction: float = 0.0
    """The share of a device's memory that a process reserves at once; 0: what its models need, and more when they do.
    """

    def claim(self, process: int) -> None:
        """Let this process see its own device alone; before TensorFlow is imported.

        Args:
            process: The number of the process, from 0.
        """
        if self.devices:
            os.environ[VISIBLE] = self.devices[process]

    def options(self) -> Any:
        """The ``tf.compat.v1.GPUOptions`` of a session; without a GPU they have no effect."""
        import tensorflow as tf  # noqa: PLC0415 - loaded by the first model only

        return tf.compat.v1.GPUOptions(
            allow_growth=not self.memory_fraction, per_process_gpu_memory_fraction=self.memory_fraction
        )


def check_gpus(settings: GpuSettings) -> None:
    """Check that TensorFlow finds the device of this process, if one was named."""
    if not settings.devices:
        return
    import tensorflow as tf  # noqa: PLC0415 - as above

    if not tf.config.list_physical_devices("GPU"):
        raise CannotRun(
            "TensorFlow finds no GPU.",
            got=f"none, with {VISIBLE}={os.environ.get(VISIBLE, '')}",
            expected=f"the devices {', '.join(settings.devices)}, their driver, and CUDA's libraries",
            fix="Run nvidia-smi to see the devices, pip install tensorflow[and-cuda] for the libraries, or leave "
            "--gpus out to answer on the CPU.",
        )
