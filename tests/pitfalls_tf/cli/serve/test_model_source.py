"""One flag names the models, and --model goes with no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.errors import BadInput
from pitfalls_tf.cli.serve.model_source import cache_folder
from serving.models.model_list import ModelsFolder
from tests.pitfalls_tf.cli.serve.parsed_flags import ParsedFlags


def test_files_become_a_folder_of_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert cache_folder("models") == tmp_path / "cache" / "pitfalls" / "models"
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "saved_model.pb").write_bytes(b"")
    source = ParsedFlags(f"--model={tmp_path}/net", "--model_name=own").repository().source
    assert isinstance(source, ModelsFolder)
    assert source.folder.parent == tmp_path / "cache" / "pitfalls" / "exports"
    assert [model.name for model in source.read()] == ["own"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--model=m.keras", "--models=DIR"), "--model and --models contradict"),
        (("--model=m.keras", "--model_base_path=DIR"), "--model and --model_base_path contradict"),
        (("--models=DIR", "--custom=layers.py"), "--custom and no --model contradict"),
        ((), r"Pass --model FILE\.keras, or --models DIR"),
    ],
)
def test_flags_that_contradict_are_refused(tmp_path: Path, arguments: tuple[str, ...], reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        ParsedFlags(*(each.replace("DIR", str(tmp_path)) for each in arguments)).repository()
