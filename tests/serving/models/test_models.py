"""Small files of serving.models, each test named after what it is about."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import tensorflow as tf

from monitoring.baseline.folder import DESCRIPTION
from monitoring.errors import CannotRun
from serving.models.gpus import VISIBLE, GpuSettings, check_gpus
from serving.models.list_in_force import ListInForce, OwnListStore
from serving.models.served_version import BASELINE_FILE, labelled_outputs


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


@pytest.mark.parametrize(
    ("document", "outputs"),
    [
        ({"several": [{"output": "sev"}, {"output": "vehage"}]}, ("sev", "vehage")),
        ({}, ()),
        ([], ()),
        ({"several": None}, ()),
        ({"several": [{}]}, ()),
    ],
)
def test_outputs_are_those_of_the_baseline(tmp_path: Path, document: object, outputs: tuple[str, ...]) -> None:
    file = tmp_path / BASELINE_FILE
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(document), "utf-8")
    assert labelled_outputs(tmp_path) == outputs


def test_a_version_without_a_baseline_says_nothing(tmp_path: Path) -> None:
    assert labelled_outputs(tmp_path) == ()
    assert BASELINE_FILE.endswith(f"baseline/{DESCRIPTION}")


def test_a_single_process_keeps_its_list_and_has_nobody_to_tell() -> None:
    first = ListInForce(hangups=2)
    store = OwnListStore(first)
    assert (store.newest(), store.hangups(), store.update_others()()) == (first, 3, ())
    with store.exclusive():
        store.put(replace(first, generation=2, hangups=3))
    assert (store.newest().generation, store.hangups()) == (2, 4)
