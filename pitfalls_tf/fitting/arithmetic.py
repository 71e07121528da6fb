"""Arithmetic that is the same on every x86-64 processor with AVX2, set before TensorFlow is loaded.

By default the order of a sum, and so its last bits, follows the processor: XLA compiles for its instruction set, oneDNN
and the kernel of matrix products choose theirs by it, and a product is divided among as many threads as it has cores;
fits that differ in a last bit drift apart. Pinned, XLA keeps to AVX2, and products are Eigen's own, whose instructions
were chosen when TensorFlow was compiled. Where the first-level cache has 32 KiB or more, Eigen adds up to 288 terms in
one go. Longer sums it cuts by the size of that cache, which no setting changes: with batches of at most 256 rows, and
at most as many units and encoded inputs, there are none.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping, MutableMapping
from typing import Final

#: The flags of XLA; those that are set for other things are kept.
XLA_FLAGS: Final = (
    "--xla_cpu_max_isa=AVX2",
    "--xla_cpu_enable_platform_dependent_math=false",
    "--xla_cpu_multi_thread_eigen=false",
)

#: Variables that TensorFlow reads when it is loaded or first computes, in place of whatever they were.
PINNED: Final[Mapping[str, str]] = {
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TENSORFLOW_USE_CUSTOM_CONTRACTION_KERNEL": "0",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}

#: What of a run's environment changes no bit of a pinned fit.
WITHOUT_EFFECT: Final = frozenset({"cores", "omp_num_threads"})

#: Says that the variables were set before TensorFlow was loaded, here or in the process that started this one.
_BEFORE: Final = "PITFALLS_ARITHMETIC"

#: Every variable that pinning may change.
VARIABLES: Final = (*PINNED, "XLA_FLAGS", _BEFORE)


def pin_arithmetic(environ: MutableMapping[str, str] = os.environ, *, is_loaded: bool | None = None) -> bool:
    """Set the variables for this process and its children, unless TensorFlow is loaded or this is no x86-64 processor.

    Cost: none that was seen for a network of tables, which XLA compiles; a network of convolutions took twice the
    processor time, so `pitfalls train` leaves those as they are.

    Args:
        environ: the variables of this process.
        is_loaded: whether TensorFlow is loaded; None to look.

    Returns:
        Whether they are in force.

    >>> environ = {"XLA_FLAGS": "--xla_cpu_max_isa=SSE4_2 --xla_dump_to=/tmp/x"}
    >>> pin_arithmetic(environ, is_loaded=True), pin_arithmetic(environ, is_loaded=False)
    (False, True)
    >>> environ["XLA_FLAGS"].split()[:2]
    ['--xla_dump_to=/tmp/x', '--xla_cpu_max_isa=AVX2']
    """
    if platform.machine() != "x86_64" or ("tensorflow" in sys.modules if is_loaded is None else is_loaded):
        return _BEFORE in environ
    names = tuple(flag.partition("=")[0] for flag in XLA_FLAGS)
    others = [flag for flag in environ.get("XLA_FLAGS", "").split() if flag.partition("=")[0] not in names]
    environ.update({**PINNED, "XLA_FLAGS": " ".join([*others, *XLA_FLAGS]), _BEFORE: "1"})
    return True


def arithmetic(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables in force, for a run's manifest; empty where TensorFlow was loaded as the machine has it.

    >>> arithmetic({})
    {}
    """
    return {name: environ[name] for name in (*PINNED, "XLA_FLAGS")} if _BEFORE in environ else {}
