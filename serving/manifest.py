"""Where a run or an export was made: what, beside the seed, decides it to the last bit."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MANIFEST_FILE = "assets.extra/manifest.json"
LIBRARIES = ("tensorflow", "keras", "numpy", "pyarrow")


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What, beside the seed, decides a run to the last bit: versions, thread counts, and the kernels in use.

    Thread counts of 0 leave the choice to TensorFlow, which takes the number of cores.
    """

    python: str
    libraries: Mapping[str, str]
    machine: str
    cores: int
    intra_op_threads: int
    inter_op_threads: int
    omp_num_threads: str | None  # as the variable was set, None if it was not
    onednn: bool
    deterministic_ops: bool


def environment(*, deterministic_ops: bool = False) -> Environment:
    """This process's. Imports TensorFlow."""
    import tensorflow as tf  # noqa: PLC0415 - whoever asks has loaded it, or is about to

    return Environment(
        python=platform.python_version(),
        libraries={name: version(name) for name in LIBRARIES},
        machine=platform.machine(),
        cores=os.cpu_count() or 1,
        intra_op_threads=tf.config.threading.get_intra_op_parallelism_threads(),
        inter_op_threads=tf.config.threading.get_inter_op_parallelism_threads(),
        omp_num_threads=os.environ.get("OMP_NUM_THREADS"),
        onednn=os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1") != "0",
        deterministic_ops=deterministic_ops,
    )
