"""A training has the same bits under settings that stand for other machines: instruction sets, threads, processors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pitfalls_tf.fitting.arithmetic import PINNED, VARIABLES, pin_arithmetic
from tests.pitfalls_tf.small_table import write_rows

TRAIN = """
import os, sys
from pitfalls_tf.cli import main
if os.environ.get("CORES") == "1":
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
main()
"""
OLD = {"XLA_FLAGS": "--xla_cpu_max_isa=AVX", "ONEDNN_MAX_CPU_ISA": "SSE41", "DNNL_MAX_CPU_ISA": "SSE41"}
OLD |= {"ARROW_USER_SIMD_LEVEL": "SSE4_2", "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR"}
THREADS = {"TF_NUM_INTRAOP_THREADS": "7", "TF_NUM_INTEROP_THREADS": "3", "OPENBLAS_NUM_THREADS": "5"}
#: Several settings to a machine: each alone would change the bits where nothing is pinned.
MACHINES: dict[str, dict[str, str]] = {
    "this one": {},
    "an older processor with many threads": {**OLD, **THREADS, "TF_ENABLE_ONEDNN_OPTS": "1"},
    "one core": {"CORES": "1", "OMP_NUM_THREADS": "8", "OPENBLAS_CORETYPE": "Haswell"},
}
MORE_MACHINES: dict[str, dict[str, str]] = {
    "many threads": {**THREADS, "ONEDNN_MAX_CPU_ISA": "AVX2"},
    "an older processor by XLA": {"XLA_FLAGS": "--xla_cpu_max_isa=SSE4_2"},
    "an older processor by oneDNN": {"ONEDNN_MAX_CPU_ISA": "AVX"},
    "one core without oneDNN": {"CORES": "1", "TF_ENABLE_ONEDNN_OPTS": "0"},
    "another kernel of products": {"TENSORFLOW_USE_CUSTOM_CONTRACTION_KERNEL": "1", "OPENBLAS_NUM_THREADS": "4"},
}


def manifest_on(settings: dict[str, str], out: Path, *arguments: str) -> dict[str, object]:
    """The manifest of a run of `pitfalls train` in a process of its own, which was started with these settings."""
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    command = [sys.executable, "-c", TRAIN, "train", *arguments, "--seeds", "1", "--out", str(out)]
    done = subprocess.run(command, env=environment | settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    (manifest,) = out.glob("*/seed-0000/manifest.json")
    document: dict[str, object] = json.loads(manifest.read_text())
    return document


def manifests_on(machines: dict[str, dict[str, str]], out: Path, *arguments: str) -> list[dict[str, object]]:
    with ThreadPoolExecutor(2) as pool:
        return list(
            pool.map(lambda name: manifest_on(machines[name], out / name.replace(" ", "-"), *arguments), machines)
        )


@pytest.mark.timeout(400)
def test_a_training_has_the_same_bits_on_machines_that_differ_and_its_manifest_says_how(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.parquet")
    flags = ("--label", "outcome", "--time", "when", "--domain", "site", "--epochs", "2", "--batch", "64")
    found = manifests_on(MACHINES, tmp_path, "table", "--table", str(tmp_path / "rows.parquet"), *flags)
    assert len({str(manifest["weights"]) for manifest in found}) == 1, found
    for manifest in found:
        arithmetic = manifest["arithmetic"]
        assert isinstance(arithmetic, dict)
        assert arithmetic.items() >= PINNED.items()
        assert "--xla_cpu_max_isa=AVX2" in arithmetic["XLA_FLAGS"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_demos_training_has_the_same_bits_on_eight_machines(tmp_path: Path) -> None:
    found = manifests_on(MACHINES | MORE_MACHINES, tmp_path, "flights")
    assert len({str(manifest["weights"]) for manifest in found}) == 1, found


def test_nothing_changes_where_tensorflow_is_loaded_already() -> None:
    environment = {"XLA_FLAGS": "--xla_cpu_max_isa=AVX"}
    assert not pin_arithmetic(environment, is_loaded=True)
    assert environment == {"XLA_FLAGS": "--xla_cpu_max_isa=AVX"}
    pin_arithmetic(environment, is_loaded=False)
    assert pin_arithmetic(environment, is_loaded=True), "TensorFlow was loaded after it"


def test_a_training_from_python_is_pinned_too() -> None:
    """Nothing that `pitfalls_tf.train` needs before it pins has loaded TensorFlow."""
    code = "import sys, pitfalls_tf; pitfalls_tf.train; assert 'tensorflow' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
