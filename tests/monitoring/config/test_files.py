from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.config.files import config_paths, find_configs, read_files
from monitoring.errors import BadInput

CONFIG = '[model]\nbundle = "models/{name}"\n[traffic]\npath = "traffic"\n'


def write(folder: Path, name: str) -> Path:
    path = folder / name / "monitor.toml"
    path.parent.mkdir(parents=True)
    path.write_text(CONFIG.format(name=name))
    return path


def test_a_folder_and_a_pattern_name_configs(tmp_path: Path) -> None:
    paths = (write(tmp_path, "a"), write(tmp_path, "b"))
    assert config_paths(str(tmp_path)) == paths
    assert config_paths(f"{tmp_path}/*/monitor.toml") == paths
    assert find_configs(str(tmp_path / "none")) == ()
    with pytest.raises(BadInput, match="no config"):
        config_paths(str(tmp_path / "none"))


def test_a_config_that_cannot_be_read_keeps_the_reason(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text("[model]\nbundle = 3\n")
    good, file = read_files([write(tmp_path, "a"), bad])
    assert good.config is not None
    assert (good.name, good.problem, file.name) == ("a/monitor.toml", "", "bad.toml")
    assert file.config is None
    assert "line 2" in file.problem
