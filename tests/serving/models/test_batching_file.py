"""TensorFlow Serving's batching parameters are read as there, for all models or for one version."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from monitoring.errors import BadInput
from serving.models.batch_settings import BatchSettings
from serving.models.batching_file import FILE_NAME, BatchingFile, read_batching_file
from serving.models.loading import LoadSettings, load_version
from serving.models.runner import LoadError
from serving.status import Code

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "parameters"


def test_batching_parameters_are_used_or_named(file: Path) -> None:
    file.write_text("""
        max_batch_size { value: 128 }
        batch_timeout_micros { value: 0 }
        max_enqueued_batches { value: 3 }
        num_batch_threads { value: 4 }
        allowed_batch_sizes: 64
        allowed_batch_sizes: 128
        pad_variable_length_inputs: true
    """)
    assert read_batching_file(file) == BatchingFile(
        settings=BatchSettings(max_rows=128, refuse_larger=True, max_waiting=384, runs=4, allowed_rows=(64, 128)),
        ignored={
            "batch_timeout_micros": "a batch starts as soon as the one before it ends",
            "pad_variable_length_inputs": "requests of different shapes run in batches of their own",
        },
    )
    file.write_text("""
        enable_large_batch_splitting { value: true }
        max_execution_batch_size { value: 32 }
        allowed_batch_sizes: 32
    """)
    assert read_batching_file(file) == BatchingFile(
        settings=BatchSettings(
            max_rows=1000, refuse_larger=False, max_waiting=10_000, allowed_rows=(32,), max_run_rows=32
        ),
        ignored={},
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("max_batch_size { value: 0 }", "max_batch_size 0"),
        ("max_batch_size: 32", r"line:column 1:\d+ : 'max_batch_size: 32': Expected"),
        ("num_batch_threads { value: 0 }", "num_batch_threads 0"),
        ("allowed_batch_sizes: [8, 8, 1000]", "entries must be monotonically increasing"),
        ("allowed_batch_sizes: [0, 1000]", "entries must be monotonically increasing"),
        (
            "max_batch_size { value: 32 } allowed_batch_sizes: [8, 16]",
            "must match max_batch_size; last entry was 16; expected 32",
        ),
        (
            "max_batch_size { value: 32 } allowed_batch_sizes: [8, 64]",
            "less than or equal to max_batch_size; last entry was 64; expected 32",
        ),
        (
            "enable_large_batch_splitting { value: true } max_execution_batch_size { value: 8 } allowed_batch_sizes: 9",
            "must be equal to max_execution_batch_size; last entry was 9; expected 8",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_tensorflow_servings_words(file: Path, text: str, reason: str) -> None:
    file.write_text(text)
    with pytest.raises(BadInput, match=reason):
        read_batching_file(file)


def test_a_version_may_have_parameters_of_its_own(models_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "1"
    shutil.copytree(models_folder / "half_plus_two" / "00000123", folder)
    (folder / FILE_NAME).write_text("max_batch_size { value: 4 } allowed_batch_sizes: 4")
    assert load_version(folder).batching is None, "only if the server is to read them"
    runner = load_version(folder, LoadSettings(reads_batching=True))
    runner.close()
    assert runner.batching == BatchSettings(max_rows=4, refuse_larger=True, max_waiting=40, allowed_rows=(4,))
    (folder / FILE_NAME).write_text("max_batch_size { value: 4 } allowed_batch_sizes: 5")
    with pytest.raises(LoadError, match="less than or equal to max_batch_size") as caught:
        load_version(folder, LoadSettings(reads_batching=True))
    assert caught.value.code is Code.INVALID_ARGUMENT
    (folder / FILE_NAME).unlink()
    assert load_version(folder, LoadSettings(reads_batching=True)).batching is None
