"""A fit has the same bits under settings that stand for other machines: instruction sets, threads, processors."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

#: The first fold of the demo's run; without pinned arithmetic, each machine below finds other weights.
FIT = """
import hashlib, os, sys
from dataclasses import replace
from pitfalls_tf.fitting.arithmetic import arithmetic, pin_arithmetic
if sys.argv[1] != "-":
    os.sched_setaffinity(0, {int(sys.argv[1])})
pin_arithmetic()
import numpy as np
from pitfalls_tf.fitting.ensemble import FitJob, fit_jobs
from pitfalls_tf.training.prepared_rows import prepare
from pitfalls_tf.training.setup import SETUPS
assert arithmetic()["ONEDNN_MAX_CPU_ISA"] == "AVX2"
setup = replace(SETUPS["flights"], epochs=1)
(fits,) = fit_jobs([FitJob(recipe=setup.recipe, rows=prepare(setup).fits[0].rows, seeds=[0])])
digest = hashlib.sha256()
for member in fits.members:
    for array in (*member.weights, *member.state):
        digest.update(np.ascontiguousarray(array).tobytes())
print(digest.hexdigest())
"""

#: What a machine sets otherwise, and the core that it has. Two settings to a machine: each would change the bits.
MACHINES: dict[str, tuple[dict[str, str], str]] = {
    "this one": ({}, "-"),
    "an old processor by XLA with one core": (
        {"XLA_FLAGS": "--xla_cpu_max_isa=SSE4_2", "OMP_NUM_THREADS": "8"},
        str(min(os.sched_getaffinity(0))),
    ),
    "an old processor by oneDNN with many threads": (
        {
            "ONEDNN_MAX_CPU_ISA": "SSE41",
            "TF_ENABLE_ONEDNN_OPTS": "1",
            "TF_NUM_INTRAOP_THREADS": "7",
            "TF_NUM_INTEROP_THREADS": "3",
            "OPENBLAS_NUM_THREADS": "5",
        },
        "-",
    ),
}


def weights_on(machine: str) -> str:
    settings, core = MACHINES[machine]
    command = [sys.executable, "-W", "ignore", "-c", FIT, core]
    done = subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


@pytest.mark.timeout(400)
def test_the_weights_of_a_fit_are_the_same_on_machines_that_differ() -> None:
    with ThreadPoolExecutor(2) as pool:
        found = dict(zip(MACHINES, pool.map(weights_on, MACHINES), strict=True))
    assert len(set(found.values())) == 1, found
    assert len(found["this one"]) == 64
