"""Arithmetic that depends less on the processor: instruction sets and threads, set before TensorFlow is loaded.

Left to themselves XLA and oneDNN take the widest instructions that a processor has, and sums are cut by the number of
threads; so a model's weights differ in their last bits from machine to machine, and the fits that start from them
drift apart. What is not pinned: the sizes of caches, by which Eigen cuts long sums. A batch of 1,024 rows gives other
weights with a first-level cache of 48 KiB than with 32.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, MutableMapping
from typing import Final

#: The flags of XLA; those that are set for other things are kept.
XLA_FLAGS: Final = ("--xla_cpu_max_isa=AVX2", "--xla_cpu_multi_thread_eigen=false")

#: Variables that TensorFlow reads when it is loaded, in place of whatever they were.
PINNED: Final[Mapping[str, str]] = {
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "DNNL_MAX_CPU_ISA": "AVX2",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


def pin_arithmetic(environ: MutableMapping[str, str] = os.environ) -> None:
    """Set the variables for this process and its children. Without effect where TensorFlow is loaded already.

    Cost: two epochs of the demo's fit took 12.4 s of processor time with them and 13.0 without, in one run.

    >>> environ = {"XLA_FLAGS": "--xla_cpu_max_isa=SSE4_2 --xla_dump_to=/tmp/x"}
    >>> pin_arithmetic(environ)
    >>> environ["XLA_FLAGS"], environ["ONEDNN_MAX_CPU_ISA"]
    ('--xla_dump_to=/tmp/x --xla_cpu_max_isa=AVX2 --xla_cpu_multi_thread_eigen=false', 'AVX2')
    """
    names = tuple(flag.partition("=")[0] for flag in XLA_FLAGS)
    others = [flag for flag in environ.get("XLA_FLAGS", "").split() if flag.partition("=")[0] not in names]
    environ.update({**PINNED, "XLA_FLAGS": " ".join([*others, *XLA_FLAGS])})
    if "tensorflow" not in sys.modules:
        environ[_BEFORE] = "1"


#: Says that the variables were set before TensorFlow was loaded, here or in the process that started this one.
_BEFORE: Final = "PITFALLS_ARITHMETIC"


def arithmetic(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables in force, for a run's manifest; empty where TensorFlow was loaded as the machine has it.

    >>> arithmetic({})
    {}
    """
    return {name: environ[name] for name in (*PINNED, "XLA_FLAGS")} if _BEFORE in environ else {}
