from __future__ import annotations

import os
from pathlib import Path

import pytest

from monitoring.service.config_watch import ConfigChanges, ConfigWatch

GOOD = '[model]\nbundle = "models/flights"\n[traffic]\npath = "traffic"\n'


@pytest.fixture
def watch(tmp_path: Path) -> ConfigWatch:
    return ConfigWatch(lambda: sorted(tmp_path.glob("*.toml")))


def names(changes: ConfigChanges) -> tuple[list[str], list[str]]:
    return [one.name for one in changes.read], [path.name for path in changes.removed]


def test_the_first_look_reads_every_file_and_the_next_one_none(tmp_path: Path, watch: ConfigWatch) -> None:
    (tmp_path / "a.toml").write_text(GOOD)
    (tmp_path / "b.toml").write_text("no TOML")
    first = watch.look()
    assert names(first) == (["a.toml", "b.toml"], [])
    assert [one.config is not None for one in first.read] == [True, False]
    assert watch.look() == ConfigChanges()


def test_a_file_that_is_being_written_is_read_once_it_stays_as_it_is(tmp_path: Path, watch: ConfigWatch) -> None:
    watch.look()
    for text in (GOOD[:10], GOOD):
        (tmp_path / "a.toml").write_text(text)
        assert watch.look() == ConfigChanges()
    assert names(watch.look()) == (["a.toml"], [])


def test_a_file_that_changes_or_is_replaced_is_read_again(tmp_path: Path, watch: ConfigWatch) -> None:
    path = tmp_path / "a.toml"
    path.write_text(GOOD)
    watch.look()
    (tmp_path / "aside").write_text(GOOD)
    os.utime(tmp_path / "aside", ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    (tmp_path / "aside").replace(path)
    assert names(watch.look()) == ([], [])
    assert names(watch.look()) == (["a.toml"], [])


def test_a_file_that_others_may_not_read_any_more_is_read_again(tmp_path: Path, watch: ConfigWatch) -> None:
    path = tmp_path / "a.toml"
    path.write_text(GOOD)
    watch.look()
    path.chmod(0o200)
    assert names(watch.look()) == ([], [])
    assert names(watch.look()) == (["a.toml"], [])


def test_a_file_that_goes_is_removed_once_and_may_come_back(tmp_path: Path, watch: ConfigWatch) -> None:
    path = tmp_path / "a.toml"
    path.write_text(GOOD)
    watch.look()
    path.unlink()
    assert names(watch.look()) == ([], ["a.toml"])
    assert watch.look() == ConfigChanges()
    path.write_text(GOOD)
    watch.look()
    assert names(watch.look()) == (["a.toml"], [])


def test_a_link_to_nothing_is_no_file(tmp_path: Path, watch: ConfigWatch) -> None:
    (tmp_path / "a.toml").symlink_to(tmp_path / "none")
    assert watch.look() == ConfigChanges()
