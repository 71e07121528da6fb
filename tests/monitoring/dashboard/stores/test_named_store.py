from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.config.files import read_files
from monitoring.dashboard.stores.named_store import Ownership, named_stores
from monitoring.errors import BadInput
from tests.dashboard_store import make_store

CONFIG = '[model]\nbundle = "models/{name}"\n[traffic]\npath = "traffic"\n[store]\nurl = "sqlite:///{store}"\n'


def write(folder: Path, name: str, store: str) -> Path:
    path = folder / name / "monitor.toml"
    path.parent.mkdir(parents=True)
    path.write_text(CONFIG.format(name=name, store=store))
    return path


def test_configs_of_one_store_share_it(tmp_path: Path) -> None:
    shared = str(tmp_path / "pitfalls.db")
    files = read_files([write(tmp_path, "a", shared), write(tmp_path, "b", shared), write(tmp_path, "c", "own.db")])
    found = named_stores(files)
    assert [(one.name, len(one.files)) for one in found] == [("a", 2), ("c", 1)]
    config = found[0].config_of("b")
    assert config is not None
    assert config.model.name == "b"
    assert found[0].config_of("z") is None


def test_two_stores_of_one_model_have_names_of_their_own(tmp_path: Path) -> None:
    files = read_files([write(tmp_path / "eu", "a", "eu.db"), write(tmp_path / "us", "a", "us.db")])
    assert [one.name for one in named_stores(files)] == ["a", "a-2"]


def test_a_store_is_opened_when_it_is_there(tmp_path: Path) -> None:
    path = write(tmp_path, "a", str(tmp_path / "pitfalls.db"))
    (source,) = named_stores(read_files([path]))
    with pytest.raises(BadInput, match="No window has been judged yet"):
        source.store()
    make_store(tmp_path / "pitfalls.db")
    assert len(source.store().overview.summaries()) == 2
    source.close()
    source.close()


def test_teams_and_tags_are_those_of_the_configs(tmp_path: Path) -> None:
    shared = str(tmp_path / "pitfalls.db")
    owned, plain = write(tmp_path, "a", shared), write(tmp_path, "b", shared)
    owned.write_text(owned.read_text() + '[deployment]\nteam = "credit"\ntags = ["eu", "batch"]\n')
    (source,) = named_stores(read_files([owned, plain]))
    assert source.owners() == {"a": Ownership(team="credit", tags=("eu", "batch"))}
