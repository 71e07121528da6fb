"""Configs that were there are expected until a person says that one was removed on purpose."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitoring.errors import BadInput, CannotRun
from monitoring.service.registry import ConfigRegistry, registry_path

NOW = datetime(2026, 11, 30, tzinfo=UTC)


@pytest.fixture
def registry(tmp_path: Path) -> ConfigRegistry:
    return ConfigRegistry(registry_path(tmp_path / "state", "configs"))


def test_what_was_there_is_expected_by_every_process_until_it_is_removed(
    registry: ConfigRegistry, tmp_path: Path
) -> None:
    config = tmp_path / "a.toml"
    config.write_text("")
    assert registry.add([config], NOW)
    assert not registry.add([config], NOW)
    again = ConfigRegistry(registry.path)
    assert again.read() == {config: "2026-11-30T00:00:00+00:00"}
    with pytest.raises(BadInput, match="The config is there"):
        again.remove(config)
    config.unlink()
    again.remove(config)
    assert registry.read() == {}
    with pytest.raises(BadInput, match="No config of this path is expected"):
        again.remove(config)


def test_another_pattern_has_a_list_of_its_own(tmp_path: Path) -> None:
    assert registry_path(tmp_path, "configs") != registry_path(tmp_path, "configs/*.toml")
    assert registry_path(tmp_path, "configs") == registry_path(tmp_path, "./configs")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"configs": 3}'])
def test_a_list_that_cannot_be_read_is_an_error_and_not_an_empty_one(registry: ConfigRegistry, text: str) -> None:
    assert registry.path is not None
    registry.path.parent.mkdir()
    registry.path.write_text(text)
    with pytest.raises(CannotRun, match="cannot be read"):
        registry.read()


def test_without_a_folder_that_can_be_written_this_process_expects_them_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    registry = ConfigRegistry(tmp_path / "state" / "configs.json")
    with pytest.raises(CannotRun, match="XDG_STATE_HOME"):
        registry.add([tmp_path / "a.toml"], NOW)
