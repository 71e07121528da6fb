"""Which deployment a config means: its own where it has judged something, else the model's last, with a note."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from monitoring.config import load_config
from monitoring.deployment.deployment_lookup import DeploymentLookup, look_up_deployment
from monitoring.runs.run import run_due_windows
from monitoring.store.store import Store

NOW = datetime(2013, 5, 15, tzinfo=UTC)


def looked_up(folder: Path) -> DeploymentLookup:
    config = load_config(folder / "monitor.toml")
    with Store.open(config.store.url) as store:
        return look_up_deployment(config, store)


def judge(folder: Path) -> int:
    config = load_config(folder / "monitor.toml")
    with Store.open(config.store.url) as store:
        return run_due_windows(config, store, clock=lambda: NOW).deployment


def change(folder: Path, old: str, new: str) -> None:
    path = folder / "monitor.toml"
    path.write_text(path.read_text().replace(old, new))


@pytest.fixture
def judged(deployed: Path, send: Callable[..., None], days: Any) -> Path:
    send(deployed, days(days=2))
    judge(deployed)
    return deployed


def test_a_model_that_nobody_has_watched_has_no_deployment(deployed: Path) -> None:
    assert looked_up(deployed) == DeploymentLookup(number=None)


def test_a_config_means_the_deployment_of_its_settings_even_if_another_was_judged_later(judged: Path) -> None:
    own = looked_up(judged)
    assert own.number is not None
    assert own.note == ""
    change(judged, "min_rows = 20", "min_rows = 30")
    other = judge(judged)
    assert looked_up(judged) == DeploymentLookup(number=other)
    assert other != own.number
    change(judged, "min_rows = 30", "min_rows = 20")
    assert looked_up(judged) == own


def test_a_config_that_has_judged_nothing_means_what_was_judged_last_with_its_version(judged: Path) -> None:
    own = looked_up(judged)
    change(judged, "min_rows = 20", "min_rows = 30")
    found = looked_up(judged)
    assert found.number == own.number
    assert "Nothing was judged yet with the config's settings" in found.note
    assert "version 1" in found.note


def test_a_baseline_out_of_reach_means_what_was_judged_last(judged: Path) -> None:
    own = looked_up(judged)
    (judged / "models").unlink()
    found = looked_up(judged)
    assert found.number == own.number
    assert "The baseline cannot be read" in found.note
