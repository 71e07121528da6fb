"""What a kept fit depends on: a change of any of it has another digest, a change of nothing but places the same."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import monitoring
from monitoring.config import load_config
from monitoring.deployment.deployment import same_evidence
from monitoring.deployment.places import find_baseline
from monitoring.fits import fit_folder as module
from monitoring.fits.fit_folder import fit_digest
from tests.own_table import watch

ICS = "BEGIN:VCALENDAR\nEND:VCALENDAR\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return watch(tmp_path_factory.mktemp("digest")).folder / "flights"


def digest(folder: Path) -> str:
    config = load_config(folder / "monitor.toml")
    return fit_digest(config, same_evidence(config), find_baseline(config).baseline)


def edited(old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "monitor.toml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return change


def with_calendar(folder: Path) -> None:
    (folder / "events.ics").write_text(ICS)
    edited("[windows]", '[[expected]]\nics = "events.ics"\n\n[windows]')(folder)


def with_other_rows(folder: Path) -> None:
    path = folder / "baseline" / "reference.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    "change",
    [
        edited('slices = ["origin"]', "slices = []"),
        edited('label_horizon = "', 'label_horizon = "1'),
        edited('page = "1 per 1825 windows"', 'page = "1 per 1826 windows"'),
        edited("[windows]", '[[expected]]\nname = "sale"\ndates = [2013-03-01]\n\n[windows]'),
        with_calendar,
        with_other_rows,
    ],
)
def test_settings_events_and_rows_count(folder: Path, tmp_path: Path, change: Callable[[Path], None]) -> None:
    other = shutil.copytree(folder, tmp_path / "other")
    assert digest(other) == digest(folder)
    change(other)
    assert digest(other) != digest(folder)


def test_the_contents_of_a_calendar_count(folder: Path, tmp_path: Path) -> None:
    other = shutil.copytree(folder, tmp_path / "other")
    with_calendar(other)
    before = digest(other)
    (other / "events.ics").write_text(ICS.replace("\nEND", "\nX-WR-CALNAME:a\nEND"))
    assert digest(other) != before


def test_the_code_and_the_libraries_count(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = digest(folder)
    monkeypatch.setattr(module, "version", lambda name: f"{name} 2")
    module._program.cache_clear()
    try:
        assert digest(folder) != before
    finally:
        module._program.cache_clear()


def test_the_code_that_counts_is_that_of_this_package_alone() -> None:
    files = module.code_files()
    assert Path(module.__file__) in files
    assert {path.is_relative_to(Path(monitoring.__file__).parent) for path in files} == {True}
