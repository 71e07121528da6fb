"""Kept fits: the same verdicts to the last digit; one that is missing, damaged or another's is made again."""

from __future__ import annotations

import logging
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from monitoring.config import load_config
from monitoring.fits import fit_folder
from monitoring.fits.fit_folder import FitFolder
from monitoring.fits.fit_folder import fit_folder as folder_of
from tests.own_table import Watched, own_rows, watch
from tests.small_deployment import Days

KEY = "a" * 64


@pytest.fixture
def kept(tmp_path: Path) -> FitFolder:
    return FitFolder(tmp_path / "fits")


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """A table's monitor as `init` leaves it, with live rows that go wrong."""
    found = watch(tmp_path_factory.mktemp("kept"), min_rows=60)
    found.live("live.parquet", own_rows(Days(days=8, broken_from=3)))
    return found


def test_init_keeps_the_fit_and_runs_find_the_same_with_and_without_it(
    watched: Watched, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    found = []
    for name in ("with", "without"):
        folder = shutil.copytree(watched.folder, tmp_path / name)
        if name == "without":
            shutil.rmtree(folder / "flights" / "fits")
        own = replace(watched.adopted, config=folder / "flights" / "monitor.toml")
        found.append(Watched(folder=folder, adopted=own).run()[1])
        assert ("it is made anew" in caplog.text) == (name == "without")
    assert replace(found[0], asked_at=None) == replace(found[1], asked_at=None)
    assert any(incident.level == "page" for incident in found[0].incidents)


def test_what_is_kept_is_read_again_by_its_owner_only(kept: FitFolder) -> None:
    kept.write(KEY, (1, "a"))
    file = kept.path / f"{KEY}.fit"
    assert kept.read(KEY) == (1, "a")
    assert (kept.path.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)
    assert [path.name for path in kept.path.iterdir()] == [file.name]
    assert kept.read("b" * 64) is None


@pytest.mark.parametrize("harm", ["a bit", "half", "empty", "a link", "others", "their folder", "another format"])
def test_one_that_is_not_whole_or_not_ones_own_is_made_anew_and_said_so(
    kept: FitFolder, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    kept.write(KEY, (1, "a"))
    file = kept.path / f"{KEY}.fit"
    data = bytearray(file.read_bytes())
    data[-40] ^= 1
    match harm:
        case "a bit":
            file.write_bytes(data)
        case "half" | "empty":
            os.truncate(file, len(data) // 2 if harm == "half" else 0)
        case "a link":
            file.rename(kept.path / "other")
            file.symlink_to("other")
        case "others":
            file.chmod(0o602)
        case "their folder":
            kept.path.chmod(0o770)
        case _:
            file.write_bytes(b"pitfalls fit 2" + data[14:])
    assert kept.read(KEY) is None
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "is not used, and is made anew" in caplog.text
    kept.path.chmod(0o700)
    kept.write(KEY, (2, "b"))
    assert kept.read(KEY) == (2, "b")


def test_a_folder_that_cannot_be_written_is_said_and_harms_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "fits").write_text("")
    FitFolder(tmp_path / "fits").write(KEY, 1)
    assert "is not kept" in caplog.text


def test_the_folder_is_bounded_and_what_was_used_last_stays(kept: FitFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.write("0" * 64, b"\0" * 1000)
    size = (kept.path / f"{'0' * 64}.fit").stat().st_size
    monkeypatch.setattr(fit_folder, "MOST_BYTES", 3 * size + 100)
    for number in range(1, 5):
        for age, name in enumerate(sorted(kept.path.iterdir(), key=lambda path: -path.stat().st_mtime)):
            os.utime(name, (0, name.stat().st_mtime - 10 - age))
        assert kept.read("0" * 64) is not None
        kept.write(str(number) * 64, b"\0" * 1000)
    assert sorted(path.name[0] for path in kept.path.iterdir()) == ["0", "3", "4"]
    os.utime(kept.path / f"{'3' * 64}.fit", (0, 0))
    kept.write("5" * 64, 0)
    assert sorted(path.name[0] for path in kept.path.iterdir()) == ["0", "4", "5"]


def test_fits_lie_beside_an_sqlite_store_and_otherwise_among_the_caches_of_the_user(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = load_config(watched.adopted.config)
    assert folder_of(config).path == watched.folder / "flights" / "fits"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    store = config.store.model_copy(update={"url": "postgresql+pg8000://db/pitfalls"})
    assert folder_of(config.model_copy(update={"store": store})).path == tmp_path / "pitfalls" / "fits"
