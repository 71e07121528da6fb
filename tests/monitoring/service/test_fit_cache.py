"""Fits that are kept: the same results as fits made anew, and which are dropped where not all have room."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from monitoring.config import MonitorConfig, load_config
from monitoring.deployment.deployment import Deployment
from monitoring.deployment.deployment import deploy as make_ready
from monitoring.inspection.status import status
from monitoring.records import MonitorStatus
from monitoring.runs.run import NO_SERVICES, ExternalServices, run_due_windows
from monitoring.sentences.incident_text import incident_text
from monitoring.service.fit_cache import FitCache
from monitoring.store.store import Store
from tests.small_deployment import CONFIG, LIVE, bundle, days, deploy, deployed, send

__all__ = ["bundle", "days", "deploy", "deployed", "send"]

DAY = timedelta(days=1)


@pytest.fixture
def config(deployed: Path) -> MonitorConfig:
    return load_config(deployed / "monitor.toml")


@pytest.fixture(scope="module")
def fitted(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """One real fit, for the tests that ask only which fits are kept."""
    folder = tmp_path_factory.mktemp("fitted")
    (folder / "models").symlink_to(bundle / "models")
    (folder / "monitor.toml").write_text(CONFIG)
    return make_ready(load_config(folder / "monitor.toml"))


def cache(fitted: Deployment, most_fits: float = 9.0) -> FitCache:
    """A cache with room for so many fits, each of which is another object."""
    size = len(pickle.dumps(fitted.reference_fit, pickle.HIGHEST_PROTOCOL))
    return FitCache(
        round(most_fits * size), lambda _config, _embedder: replace(fitted, reference_fit=replace(fitted.reference_fit))
    )


def judged(config: MonitorConfig, store: str, services: ExternalServices) -> MonitorStatus:
    """Windows judged in three runs, two days apart."""
    other = config.model_copy(update={"store": config.store.model_copy(update={"url": store})})

    def run(now: datetime) -> None:
        with Store.open(store) as opened:
            run_due_windows(other, opened, clock=lambda: now, services=services)

    for day in (3, 5, 7):
        run(LIVE + day * DAY)
    with Store.open(store) as opened:
        return status(opened, config.name, opened.deployments.latest(config.name))


@pytest.mark.slow
def test_runs_with_a_kept_fit_find_what_runs_with_new_ones_find(
    config: MonitorConfig, deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=7, broken_from=3))
    fits = FitCache()
    kept = judged(config, f"sqlite:///{deployed}/kept.db", ExternalServices(deploy=partial(fits.deploy, "a")))
    anew = judged(config, f"sqlite:///{deployed}/anew.db", NO_SERVICES)
    assert kept.windows == anew.windows
    assert len(kept.windows) >= 6
    assert [incident_text(one).message for one in kept.incidents] == [
        incident_text(one).message for one in anew.incidents
    ]
    assert 0 < fits.size < 2_000_000


def test_a_fit_is_made_anew_only_if_the_config_or_the_baseline_changes(
    config: MonitorConfig, fitted: Deployment, deployed: Path, bundle: Path
) -> None:
    (deployed / "models").unlink()
    shutil.copytree(bundle / "models", deployed / "models")
    fits = cache(fitted)
    first = fits.deploy("a", config)
    again = fits.deploy("a", config)
    assert again.reference_fit is first.reference_fit
    assert "answers" not in vars(again.baseline.rows)  # the rows of the reference are not kept
    tolerance = config.tolerance.model_copy(update={"error": 0.03})
    assert fits.deploy("a", config.model_copy(update={"tolerance": tolerance})).reference_fit is not first.reference_fit
    third = fits.deploy("a", config)
    (description,) = deployed.glob("models/flights/*/assets.extra/baseline/baseline.json")
    description.write_text(description.read_text() + "\n")
    assert fits.deploy("a", config).reference_fit is not third.reference_fit


def test_a_calendar_of_expected_events_that_changes_is_read_again(
    config: MonitorConfig, fitted: Deployment, deployed: Path
) -> None:
    (deployed / "events.ics").write_text("BEGIN:VCALENDAR\nEND:VCALENDAR\n")
    toml = (deployed / "monitor.toml").read_text()
    (deployed / "events.toml").write_text(f'{toml}\n[[expected]]\nics = "events.ics"\n')
    config, fits = load_config(deployed / "events.toml"), cache(fitted)
    first = fits.deploy("a", config)
    assert fits.deploy("a", config).reference_fit is first.reference_fit
    (deployed / "events.ics").write_text("BEGIN:VCALENDAR\nX-WR-CALNAME:sale\nEND:VCALENDAR\n")
    assert fits.deploy("a", config).reference_fit is not first.reference_fit


def test_configs_that_run_in_turn_do_not_drive_each_other_out(config: MonitorConfig, fitted: Deployment) -> None:
    fits = cache(fitted, most_fits=1.5)
    first = fits.deploy("a", config).reference_fit
    one = fits.size
    for _ in range(2):
        fits.deploy("b", config)
        assert fits.deploy("a", config).reference_fit is first
    fits.deploy("b", config)
    other = fits.deploy("b", config).reference_fit  # a was not asked for since b was, and gives way
    assert fits.deploy("b", config).reference_fit is other
    assert fits.size == one


def test_without_room_nothing_is_kept(config: MonitorConfig, fitted: Deployment) -> None:
    fits = cache(fitted, most_fits=0)
    assert fits.deploy("a", config).reference_fit is not fits.deploy("a", config).reference_fit
    assert fits.size == 0
