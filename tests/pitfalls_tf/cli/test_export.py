"""``pitfalls export``: flags and errors; the bundle itself is tested with serving."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from monitoring.errors import BadInput
from pitfalls_tf.cli.export import named_classes, split_names

Pitfalls = Callable[..., Result]


@pytest.mark.parametrize("text", ["", "a,", "a,,b", "a,b,a", " "])
def test_empty_and_repeated_names_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match="Invalid names for --classes"):
        split_names(text, "--classes", "no,yes")


def test_names_are_optional_and_stripped() -> None:
    assert split_names(None, "--classes", "no,yes") == ()
    assert split_names(" no , yes ", "--classes", "no,yes") == ("no", "yes")


def test_classes_are_named_by_output_where_labels_are() -> None:
    by_output = {"kind": ("easy", "hard"), "late": ("no", "yes")}
    assert named_classes("kind=easy,hard,late=no, yes", "kind=k,late=l") == ((), by_output)
    assert named_classes("no,yes", "kind=k,late=l") == (("no", "yes"), {})
    assert named_classes("a=b,c", "y") == (("a=b", "c"), {})
    assert named_classes(None, "kind=k") == ((), {})


@pytest.mark.parametrize("text", ["a,kind=easy", "kind=easy,easy", "kind="])
def test_classes_of_an_output_are_distinct_names_after_its_own(text: str) -> None:
    with pytest.raises(BadInput, match=r"names for --classes|begin with the name of one"):
        named_classes(text, "kind=k,late=l")


def test_a_model_that_does_not_exist_is_wrong_input(pitfalls: Pitfalls, tmp_path: Path) -> None:
    result = pitfalls("export", tmp_path / "none.keras", "--name", "m", "--models", tmp_path / "models")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "The model to export does not exist." in result.stderr
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize(
    ("flag", "value"), [("--reference", "r.parquet"), ("--features", "a,b"), ("--label", "y"), ("--custom", "m")]
)
def test_a_runs_folder_takes_no_flags_for_files(pitfalls: Pitfalls, tmp_path: Path, flag: str, value: str) -> None:
    (tmp_path / "runs").mkdir()
    result = pitfalls("export", tmp_path / "runs", "--name", "m", "--models", tmp_path / "models", flag, value)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"with {flag}" in result.stderr


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("net.h5", "keras.saving.load_model"),
        ("net.onnx", "onnx2tf -i"),
        ("net.tflite", "It cannot be turned back"),
        ("torch/pytorch_model.bin", "torch.onnx.export"),
    ],
)
def test_a_model_of_another_format_is_refused_with_one_line_that_helps(
    pitfalls: Pitfalls, tmp_path: Path, name: str, advice: str
) -> None:
    file = tmp_path / "given" / name
    file.parent.mkdir(parents=True)
    file.write_bytes(b"")
    source = file if file.parent.name == "given" else file.parent
    result = pitfalls("export", source, "--name", "m", "--models", tmp_path / "models")
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert f"{file} is " in line
    assert advice in line


def test_versions_of_a_saved_model_are_named(pitfalls: Pitfalls, tmp_path: Path) -> None:
    (tmp_path / "sm" / "7").mkdir(parents=True)
    (tmp_path / "sm" / "7" / "saved_model.pb").write_bytes(b"")
    result = pitfalls("export", tmp_path / "sm", "--name", "m", "--models", tmp_path / "models")
    assert result.exit_code == 2
    assert f"Name it: pitfalls export {tmp_path}/sm/7" in result.stderr


@pytest.mark.parametrize(("flag", "value"), [("--custom", "layers.py"), ("--embedding", "dense")])
def test_a_saved_model_takes_no_flags_of_layers(pitfalls: Pitfalls, tmp_path: Path, flag: str, value: str) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"")
    result = pitfalls("export", tmp_path, "--name", "m", "--models", tmp_path / "models", flag, value)
    assert result.exit_code == 2
    assert "A SavedModel has no layers." in result.stderr
