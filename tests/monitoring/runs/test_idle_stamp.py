"""A run with nothing to do is known by its stamp, without reading the config, as long as nothing has changed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitoring.config import load_config
from monitoring.runs import idle_stamp
from monitoring.runs.idle import idle_deployment, keep_stamp
from monitoring.runs.idle_stamp import read_stamp, stamped_idle, write_stamp
from monitoring.runs.run import run_due_windows
from monitoring.store.store import Store

NOW = datetime(2013, 5, 15, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
Send = Callable[..., None]


@pytest.fixture(autouse=True)
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    return tmp_path / "caches"


@pytest.fixture
def path(deployed: Path, send: Send, days: Any) -> Path:
    """The config of a deployment of which nothing is due, with its stamp."""
    models = (deployed / "models").resolve()
    (deployed / "models").unlink()
    shutil.copytree(models, deployed / "models")  # tests change it
    send(deployed, days(days=1))
    path = deployed / "monitor.toml"
    config = load_config(path)
    with Store.open(config.store.url) as store:
        run_due_windows(config, store, clock=lambda: NOW)
    assert stamped_idle(path, NOW) is None
    keep_stamp(path, config)
    return path


def test_it_says_what_reading_the_config_says_and_records_the_check(path: Path) -> None:
    known = stamped_idle(path, NOW)
    assert known is not None
    assert known == idle_deployment(load_config(path), NOW)
    assert stamped_idle(path, LATER) == known
    with Store.open(load_config(path).store.url) as store:
        assert store.deployments.check(known.number).checked_at == LATER


def _another_setting(path: Path, _: pytest.MonkeyPatch) -> None:
    path.write_text(path.read_text() + "\n")


def _another_store(_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PITFALLS_STORE_URL", "sqlite:////elsewhere.db")


def _another_version(path: Path, _: pytest.MonkeyPatch) -> None:
    (load_config(path).model.folder / "7").mkdir()


def _another_baseline(path: Path, _: pytest.MonkeyPatch) -> None:
    stamp = read_stamp(path)
    assert stamp is not None
    os.utime(next(place for place in stamp.files if place.endswith(".pbtxt")))


def _another_release(_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle_stamp, "installed_version", lambda: "99")


def _no_config(path: Path, _: pytest.MonkeyPatch) -> None:
    path.unlink()


def _no_store(path: Path, _: pytest.MonkeyPatch) -> None:
    (path.parent / "pitfalls.db").unlink()


@pytest.mark.parametrize(
    "change",
    [_another_setting, _another_store, _another_version, _another_baseline, _another_release, _no_config, _no_store],
)
def test_after_a_change_the_config_is_read(
    path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path, pytest.MonkeyPatch], None]
) -> None:
    change(path, monkeypatch)
    assert stamped_idle(path, NOW) is None


def test_new_traffic_is_seen(path: Path, send: Send, days: Any) -> None:
    send(path.parent, days(days=1, start=datetime(2013, 4, 2, tzinfo=UTC)))
    assert stamped_idle(path, NOW) is None


def test_the_url_of_another_store_than_a_file_is_in_the_config_alone(path: Path) -> None:
    stamp, url = read_stamp(path), load_config(path).store.url
    assert stamp is not None
    assert stamp.store == url
    path.write_text(path.read_text().replace("sqlite:///pitfalls.db", url))
    keep_stamp(path, load_config(path))
    stamp = read_stamp(path)
    assert stamp is not None
    write_stamp(path, replace(stamp, store=""))
    assert stamped_idle(path, NOW) is not None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"config": 1}', b"\xff"])
def test_a_stamp_that_is_damaged_is_none(path: Path, caches: Path, content: bytes) -> None:
    [file] = (caches / "pitfalls" / "idle").iterdir()
    file.write_bytes(content)
    assert stamped_idle(path, NOW) is None


def test_a_stamp_that_another_user_may_have_written_is_none(path: Path, caches: Path) -> None:
    [file] = (caches / "pitfalls" / "idle").iterdir()
    assert file.stat().st_mode & 0o022 == 0
    assert set(json.loads(file.read_text())) >= {"config", "release", "inputs"}
    file.chmod(0o666)
    assert stamped_idle(path, NOW) is None


@pytest.mark.parametrize(
    "section",
    [
        '[heartbeat]\nurl = "https://hc-ping.com/x"\n',
        '[[notify]]\nroute = "alertmanager"\nurl = "http://alertmanager:9093"\n',
    ],
)
def test_a_config_with_more_to_look_at_has_none(path: Path, section: str) -> None:
    path.write_text(path.read_text() + section)
    before = read_stamp(path)
    keep_stamp(path, load_config(path))
    assert read_stamp(path) == before
    assert stamped_idle(path, NOW) is None


def test_without_a_place_for_caches_there_is_none(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    keep_stamp(path, load_config(path))
    assert stamped_idle(path, NOW) is None
