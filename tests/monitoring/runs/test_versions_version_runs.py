"""What is monitored is what answers traffic, whatever version folders lie beside it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitoring.config import load_config
from monitoring.errors import CannotRun
from monitoring.onboarding.rebaseline import NewNormal, rebaseline
from monitoring.runs.idle import idle_deployment
from monitoring.runs.run import RunResult, run_due_windows
from monitoring.store.outlines import DeploymentOutline
from monitoring.store.store import Store

Send = Callable[..., None]
LIVE = datetime(2013, 4, 1, tzinfo=UTC)


@pytest.fixture
def versions(tmp_path: Path, bundle: Path) -> Path:
    """A folder with monitor.toml and a models folder of its own, with flights/1."""
    folder = tmp_path / "versions"
    (folder / "models" / "flights").mkdir(parents=True)
    publish(folder, bundle, 1)
    (folder / "monitor.toml").write_text(
        '[model]\nbundle = "models/flights"\n[traffic]\npath = "traffic"\n[windows]\nmin_rows = 20\nlateness = "6h"\n'
    )
    return folder


def publish(folder: Path, bundle: Path, version: int) -> None:
    shutil.copytree(bundle / "models" / "flights" / "1", folder / "models" / "flights" / str(version))


def run(folder: Path, now: datetime) -> RunResult:
    config = load_config(folder / "monitor.toml")
    with Store.open(config.store.url) as store:
        return run_due_windows(config, store, clock=lambda: now)


def outlines(folder: Path) -> tuple[DeploymentOutline, ...]:
    with Store.open(load_config(folder / "monitor.toml").store.url, make=False) as store:
        return store.overview.outlines()


def versions_in_use(folder: Path) -> list[int]:
    with Store.open(load_config(folder / "monitor.toml").store.url, make=False) as store:
        return sorted(one.version for one in store.deployments.in_use("flights"))


def test_a_published_version_without_traffic_takes_no_attention_from_the_one_that_serves(
    versions: Path, bundle: Path, send: Send, days: Any
) -> None:
    send(versions, days(days=5))
    assert run(versions, LIVE + timedelta(days=5, hours=7)).judged == 5
    publish(versions, bundle, 2)
    send(versions, days(days=12, start=LIVE + timedelta(days=5), broken_from=0))
    result = run(versions, LIVE + timedelta(days=17, hours=7))
    assert result.judged == 12
    assert any(one.level == "page" for one in result.opened)
    [outline] = outlines(versions)
    assert versions_in_use(versions) == [1]
    assert any(one.level == "page" for one in outline.incidents)
    assert idle_deployment(load_config(versions / "monitor.toml"), LIVE + timedelta(days=17, hours=8)) is not None


def test_a_new_normal_is_of_the_version_that_answers_though_a_newer_one_is_published(
    versions: Path, bundle: Path, send: Send, days: Any
) -> None:
    send(versions, days(days=20))
    now = LIVE + timedelta(days=20, hours=7)
    assert run(versions, now).judged == 20
    publish(versions, bundle, 2)
    path = versions / "monitor.toml"
    said = NewNormal(start=LIVE, end=LIVE + timedelta(days=20), since=None, reason="new prices", by="a")
    done = rebaseline(path, load_config(path), said, clock=lambda: now)
    assert done.rows == 20 * 60
    assert "\nversion = 1\n" in path.read_text()
    send(versions, days(days=2, start=LIVE + timedelta(days=20)))
    assert run(versions, LIVE + timedelta(days=22, hours=7)).judged == 2
    assert versions_in_use(versions) == [1]


def test_every_version_that_answers_is_judged_and_one_that_no_longer_does_is_closed(
    versions: Path, bundle: Path, send: Send, days: Any
) -> None:
    send(versions, days(days=9, broken_from=0))
    assert any(one.level == "page" for one in run(versions, LIVE + timedelta(days=9, hours=7)).opened)
    publish(versions, bundle, 2)
    send(versions, days(days=2, start=LIVE + timedelta(days=8), principal="b", seed=8, version=2))
    both = run(versions, LIVE + timedelta(days=10, hours=7))
    assert (both.judged, len(both.numbers), versions_in_use(versions)) == (2, 2, [1, 2])
    assert [one.name for one in outlines(versions)] == ["flights", "flights"]
    send(versions, days(days=2, start=LIVE + timedelta(days=10), principal="b", seed=9, version=2))
    after = run(versions, LIVE + timedelta(days=12, hours=7))
    assert after.judged == 2, "the windows in which version 2 alone answered are none of version 1"
    assert versions_in_use(versions) == [2]
    with Store.open(load_config(versions / "monitor.toml").store.url) as store:
        closed = store.incidents.read(1)
        assert {one.state for one in closed} == {"closed"}
        assert "version 2 answers the traffic" in closed[0].actions[-1].text
        assert store.outbox.pending(1) == ()


def test_a_version_that_comes_back_is_judged_again_from_there(
    versions: Path, bundle: Path, send: Send, days: Any
) -> None:
    publish(versions, bundle, 2)
    send(versions, days(days=2))
    send(versions, days(days=4, start=LIVE + timedelta(days=2), principal="b", seed=8, version=2))
    run(versions, LIVE + timedelta(days=6, hours=7))
    assert versions_in_use(versions) == [2], "version 1 had stopped before the monitor began"
    send(versions, days(days=2, start=LIVE + timedelta(days=6), principal="c", seed=9))
    run(versions, LIVE + timedelta(days=8, hours=7))
    assert versions_in_use(versions) == [1, 2]
    with Store.open(load_config(versions / "monitor.toml").store.url) as store:
        [number] = [one.number for one in store.deployments.in_use("flights") if one.version == 1]
        assert [one.start.day for one in store.windows.read(number or 0)] == [1, 2, 7, 8]


def test_a_version_that_answers_and_has_no_bundle_is_an_error_and_the_others_are_judged(
    versions: Path, send: Send, days: Any
) -> None:
    send(versions, days(days=2))
    send(versions, days(days=2, principal="b", seed=8, version=7))
    with pytest.raises(CannotRun, match=r"Version 7 of flights answers traffic, and its bundle is not there"):
        run(versions, LIVE + timedelta(days=2, hours=7))
    [outline] = outlines(versions)
    assert (outline.last is not None, "Version 7" in outline.failure) == (True, True)
    with Store.open(load_config(versions / "monitor.toml").store.url) as store:
        monitor = store.monitors.get("flights")
    assert monitor is not None
    assert (monitor.failures, monitor.succeeded_at) == (1, None)


def test_a_log_without_a_row_is_an_error_after_two_windows(versions: Path) -> None:
    (versions / "traffic" / "open").mkdir(parents=True)
    run(versions, LIVE)
    run(versions, LIVE + timedelta(days=2))
    with pytest.raises(CannotRun, match="No window has ever been judged"):
        run(versions, LIVE + timedelta(days=2, hours=7))
    [outline] = outlines(versions)
    assert "no row has come" in outline.failure
