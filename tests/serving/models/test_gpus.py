"""A process sees its own device alone, takes as much memory as it was told, and says if there is no device."""

from __future__ import annotations

import os

import pytest
import tensorflow as tf

from monitoring.errors import CannotRun
from serving.models.gpus import VISIBLE, GpuSettings, check_gpus


def test_each_process_sees_one_device_and_all_of_them_where_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VISIBLE, "0,1,2")
    GpuSettings().claim(1)
    assert os.environ[VISIBLE] == "0,1,2"
    GpuSettings(devices=("0", "GPU-8932f937")).claim(1)
    assert os.environ[VISIBLE] == "GPU-8932f937"


def test_memory_grows_unless_a_share_is_reserved() -> None:
    growing, reserved = GpuSettings().options(), GpuSettings(memory_fraction=0.25).options()
    assert (growing.allow_growth, growing.per_process_gpu_memory_fraction) == (True, 0.0)
    assert (reserved.allow_growth, reserved.per_process_gpu_memory_fraction) == (False, 0.25)


@pytest.mark.skipif(bool(tf.config.list_physical_devices("GPU")), reason="this machine has a GPU")
def test_a_named_device_that_is_not_there_is_one_error() -> None:
    check_gpus(GpuSettings())
    with pytest.raises(CannotRun, match="TensorFlow finds no GPU"):
        check_gpus(GpuSettings(devices=("0",)))
