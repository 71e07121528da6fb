"""Models at URLs: copied whole or not at all, followed, bounded, and served while their store is away."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monitoring.traffic.remote.file_store import FileStore, StoredFile
from serving.models.model_cache import ModelCache, ModelCacheSettings, model_at, remote_versions
from serving.models.version_folders import ModelSource, VersionPolicy, find_versions

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """Seconds that pass by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Scene:
    """A model in a store, a cache, and what was reported."""

    def __init__(self, folder: Path, *, limit_bytes: int = 1_000) -> None:
        self.store = folder / "bucket" / "m"
        self.clock = Clock()
        self.reports: list[str] = []
        settings = ModelCacheSettings(folder=folder / "cache", limit_bytes=limit_bytes, poll_s=30)
        self.cache = ModelCache(settings, report=self.reports.append, clock=self.clock)
        self.source = model_at(f"local://{self.store}", name="m")

    def put(self, number: int | str, text: str = "graph") -> None:
        variables = self.store / str(number) / "variables"
        variables.mkdir(parents=True, exist_ok=True)
        (variables / "variables.index").write_text("index")
        (variables.parent / "saved_model.pb").write_text(text)

    def local(self) -> ModelSource:
        """The model after the next listing."""
        self.clock.now += 30
        return self.cache.local(self.source)

    def texts(self) -> dict[int, str]:
        """The graphs in the cache by version, after the next listing."""
        found = find_versions(self.local().base)
        return {number: (path / "saved_model.pb").read_text() for number, path in found.items()}


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_version_is_copied_whole(scene: Scene) -> None:
    scene.put("0007", "seven")
    local = scene.local()
    assert (local.base / "0007" / "variables" / "variables.index").read_text() == "index"
    assert scene.texts() == {7: "seven"}
    assert scene.reports == [f"Copying version 0007 of m from local://{scene.store}: 10 bytes."]
    assert local.base.stat().st_mode & 0o077 == 0


def test_a_url_is_listed_no_sooner_than_the_settings_say(scene: Scene) -> None:
    scene.put(1)
    base = scene.local().base
    scene.put(2)
    scene.clock.now += 29
    assert set(find_versions(scene.cache.local(scene.source).base)) == {1}
    scene.clock.now += 1
    scene.cache.local(scene.source)
    assert set(find_versions(base)) == {1, 2}


def test_only_wanted_versions_are_copied_and_the_last_of_the_others_stays(scene: Scene) -> None:
    for number in (1, 2, 3):
        scene.put(number)
    assert set(scene.texts()) == {3}
    scene.put(4)
    assert set(scene.texts()) == {3, 4}
    scene.put(5)
    assert set(scene.texts()) == {4, 5}
    scene.source = model_at(f"local://{scene.store}", name="m")
    assert len([path for path in scene.local().base.iterdir() if path.name.startswith(".") and path.is_dir()]) == 2


def test_a_version_that_is_deleted_at_the_url_is_deleted_here_and_the_one_before_is_copied(scene: Scene) -> None:
    scene.put(1, "one")
    scene.put(2, "two")
    assert scene.texts() == {2: "two"}
    shutil.rmtree(scene.store / "2")
    assert scene.texts() == {1: "one"}
    shutil.rmtree(scene.store)
    assert scene.texts() == {}


def test_files_that_change_at_the_url_are_copied_anew(scene: Scene) -> None:
    scene.put(1, "before")
    assert scene.texts() == {1: "before"}
    scene.put(1, "after")
    assert scene.texts() == {1: "after"}


def test_a_version_without_a_graph_is_still_being_written(scene: Scene) -> None:
    scene.put(1)
    scene.put(2)
    (scene.store / "2" / "saved_model.pb").unlink()
    assert set(scene.texts()) == {1}


def test_another_process_finds_what_one_has_copied(scene: Scene, tmp_path: Path) -> None:
    scene.put(1)
    scene.texts()
    other = Scene(tmp_path)
    assert set(other.texts()) == {1}
    assert other.reports == []


def test_a_copy_that_was_made_before_a_kill_gets_its_link(scene: Scene) -> None:
    scene.put(1)
    base = scene.local().base
    (base / "1").unlink()
    (base / ".link").symlink_to("nothing")
    assert set(scene.texts()) == {1}


def test_while_the_store_is_away_its_copies_are_served(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.put(1)
    scene.texts()

    def away(_: FileStore, under: str = "") -> dict[str, StoredFile]:
        raise OSError("No route to host")

    monkeypatch.setattr(FileStore, "listing", away)
    assert set(scene.texts()) == set(scene.texts()) == {1}
    assert scene.reports[1:] == [
        f"local://{scene.store} cannot be copied; versions that are in the cache are served. No route to host"
    ]


def test_a_version_that_does_not_fit_is_not_copied(tmp_path: Path) -> None:
    scene = Scene(tmp_path, limit_bytes=24)
    scene.put(1)
    scene.put(2, "g" * 20)
    assert scene.texts() == {}
    assert "does not fit the cache" in scene.reports[-1]
    assert "--model-cache-gb" in scene.reports[-1]


def changing(scene: Scene) -> Callable[[FileStore, str, Path], None]:
    """A store whose model is written again while it is read."""
    original = FileStore.get

    def get(store: FileStore, key: str, local: Path) -> None:
        original(store, key, local)
        scene.put(1, "longer than it was")

    return get


def test_files_that_change_while_they_are_copied_are_not_served(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.put(1)
    with monkeypatch.context() as patch:
        patch.setattr(FileStore, "get", changing(scene))
        assert scene.texts() == {}
    assert "changed while it was copied" in scene.reports[-1]
    assert scene.texts() == {1: "longer than it was"}


def test_a_key_that_leads_out_of_its_folder_is_left_out() -> None:
    one = StoredFile(size=1, stamp="a")
    keys = (
        "1/saved_model.pb",
        "1/../2/x",
        "1//x",
        "1/a\\..\\b",
        "1/./x",
        "x/saved_model.pb",
        "9" * 30 + "/saved_model.pb",
    )
    assert {number: list(found.files) for number, found in remote_versions(dict.fromkeys(keys, one)).items()} == {
        1: ["saved_model.pb"]
    }


def test_policies_choose_among_the_versions_at_the_url(scene: Scene) -> None:
    for number in (1, 2, 3):
        scene.put(number)
    scene.source = replace(scene.source, policy=VersionPolicy(kind="specific", numbers=(1, 3)))
    assert set(scene.texts()) == {1, 3}


def test_a_model_on_this_machine_is_left_alone(scene: Scene, tmp_path: Path) -> None:
    source = ModelSource(name="n", base=tmp_path)
    assert scene.cache.local(source) is source


KILLED = """
import os, random, signal, sys, time
from pathlib import Path
from serving.models.model_cache import ModelCache, ModelCacheSettings, model_at
from serving.models.version_folders import find_versions

folder = Path(sys.argv[1])
settings = ModelCacheSettings(folder=folder / "cache")
source = model_at(f"local://{folder}/m", name="m")
base = settings.folder / source.base
numbers = random.Random(7)
names = sorted(path.name for path in (folder / "m" / "1").iterdir())
for _ in range(40):
    child = os.fork()
    if not child:
        ModelCache(settings, report=lambda _: None).local(source)
        os._exit(0)
    time.sleep(numbers.uniform(0, 0.03))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    for version in find_versions(base).values():
        assert sorted(path.name for path in version.iterdir()) == names, version
    if find_versions(base) and numbers.random() < 0.7:
        (folder / "m" / "1" / "saved_model.pb").write_text(str(numbers.random()))
ModelCache(settings, report=print).local(source)
left = sorted(path.name for path in base.iterdir())
assert left[-1] == "1" and len(left) == 3, left
"""


def test_a_kill_at_any_moment_leaves_a_version_whole_or_not_there(tmp_path: Path) -> None:
    version = tmp_path / "m" / "1"
    version.mkdir(parents=True)
    for name in ("saved_model.pb", *map(str, range(30))):
        (version / name).write_text(name)
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    subprocess.run(command, check=True)
