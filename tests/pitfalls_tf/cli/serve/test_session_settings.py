"""Threads and GPUs of sessions, and one process for each GPU."""

from __future__ import annotations

import pytest

from monitoring.errors import BadInput
from pitfalls_tf.cli.serve.session_settings import read_gpus, read_threads, worker_count
from serving.models.gpus import GpuSettings
from serving.models.runner import ThreadSettings
from tests.pitfalls_tf.cli.serve.parsed_flags import ParsedFlags


def test_each_gpu_has_one_process() -> None:
    flags = ParsedFlags("--gpus=0, GPU-8932f937", "--per_process_gpu_memory_fraction=0.5")
    assert worker_count(flags.server) == 2
    assert read_gpus(flags.server, flags.tensorflow_serving) == GpuSettings(
        devices=("0", "GPU-8932f937"), memory_fraction=0.5
    )
    assert worker_count(ParsedFlags("--gpus=0,1", "--workers=2").server) == 2
    with pytest.raises(BadInput, match="each GPU has one process"):
        worker_count(ParsedFlags("--gpus=0,1", "--workers=3").server)


def test_without_gpus_any_number_of_processes_shares_what_is_there() -> None:
    flags = ParsedFlags("--workers=3")
    assert worker_count(flags.server) == 3
    assert read_gpus(flags.server, flags.tensorflow_serving) == GpuSettings()


@pytest.mark.parametrize("given", ["0,", "1,1"])
def test_gpus_are_named_once_each(given: str) -> None:
    with pytest.raises(BadInput, match="GPUs cannot be read"):
        worker_count(ParsedFlags(f"--gpus={given}").server)


def test_one_flag_sets_both_numbers_of_threads() -> None:
    flags = ParsedFlags("--tensorflow_session_parallelism=3")
    assert read_threads(flags.tensorflow_serving) == ThreadSettings(within=3, between=3)
