"""Runs on a full disk, under a clock that jumps, and without their model: nothing is lost, and nothing judged twice."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitoring.config import MonitorConfig, load_config
from monitoring.deployment.deployment import Deployment
from monitoring.deployment.deployment import deploy as fit
from monitoring.errors import CannotRun
from monitoring.records import IncidentRecord, WindowRecord
from monitoring.runs.run import ExternalServices, run_due_windows
from monitoring.store.store import Store
from monitoring.watches.embedding import Embedder
from tests.small_deployment import LIVE, bundle, days, deploy, deployed, send
from tests.small_disk import small_disk

__all__ = ["bundle", "days", "deploy", "deployed", "send"]

DAYS = 6
NOW = LIVE + timedelta(days=DAYS, hours=7)

Judged = tuple[tuple[WindowRecord, ...], tuple[IncidentRecord, ...], dict[Any, str]]

#: The fit of the small deployment's baseline, which every test has; and what an undisturbed run of it leaves.
FITS: list[Deployment] = []
RIGHT: list[Judged] = []


def fitted(config: MonitorConfig, embedder: Embedder | None) -> Deployment:
    if not FITS:
        FITS.append(fit(config, embedder))
    return FITS[0]


def stored(store: Store) -> Judged:
    """Everything that judging has left."""
    return store.windows.read(1), store.incidents.read(1), dict(store.deployments.states(1))


def run(config: MonitorConfig, url: str, hours: Callable[[], float] = lambda: 0.0) -> Judged:
    """Judge what is due, by a clock that is so many hours ahead of the time."""
    with Store.open(url) as store:
        run_due_windows(
            config, store, clock=lambda: NOW + timedelta(hours=hours()), services=ExternalServices(deploy=fitted)
        )
        return stored(store)


def undisturbed(config: MonitorConfig, folder: Path) -> Judged:
    """What a run leaves that nothing disturbs."""
    if not RIGHT:
        RIGHT.append(run(config, f"sqlite:///{folder / 'right.db'}"))
    return RIGHT[0]


@pytest.fixture
def config(deployed: Path, send: Callable[..., None], days: Any) -> MonitorConfig:
    send(deployed, days(days=DAYS, broken_from=2))
    return load_config(deployed / "monitor.toml")


def test_a_full_disk_under_the_store_is_an_error_and_with_room_the_run_goes_on(
    config: MonitorConfig, tmp_path: Path
) -> None:
    right = undisturbed(config, tmp_path)
    with small_disk(tmp_path / "disk", "480k") as disk:
        url = f"sqlite:///{disk / 'pitfalls.db'}"
        with pytest.raises(CannotRun, match=r"The store cannot be used\..*(full|disk I/O error)"):
            run(config, url)
        subprocess.run(["/usr/bin/mount", "-o", "remount,size=16m", str(disk)], check=True)
        with Store.open(url) as store:
            assert stored(store)[0] == right[0][: store.windows.count(1)]
        # the lease of the run that could not give it back has expired by then
        assert run(config, url, lambda: 1.0) == right


@pytest.mark.parametrize("step", [-9_000.0, 9_000.0])
def test_a_clock_that_jumps_while_a_run_judges_changes_nothing(
    config: MonitorConfig, tmp_path: Path, step: float
) -> None:
    right = undisturbed(config, tmp_path)
    jumping = itertools.chain([0.0] * 12, itertools.repeat(step))
    url = f"sqlite:///{tmp_path / 'jumped.db'}"
    assert run(config, url, lambda: next(jumping)) == right
    assert run(config, url) == right


def test_a_model_that_vanishes_is_one_error_and_nothing_is_lost_once_it_is_back(
    deployed: Path, config: MonitorConfig, send: Callable[..., None], days: Any, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'pitfalls.db'}"
    run(config, url)
    send(deployed, days(days=1, start=NOW - timedelta(hours=7)))
    right = run(config, f"sqlite:///{tmp_path / 'right.db'}", lambda: 24.0)
    models = deployed / "models"
    models.rename(deployed / "away")
    with Store.open(url) as store, pytest.raises(CannotRun, match="The bundle to watch is not there"):
        run_due_windows(config, store, clock=lambda: NOW + timedelta(days=1))
    (deployed / "away").rename(models)
    assert run(config, url, lambda: 24.0) == right
