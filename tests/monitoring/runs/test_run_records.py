"""Runs are recorded, also those that fail."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitoring.config import load_config
from monitoring.deployment.deployment import deploy
from monitoring.errors import CannotRun
from monitoring.runs.run import ExternalServices, run_due_windows
from monitoring.store.store import Store

NOW = datetime(2014, 1, 1, tzinfo=UTC)


def test_a_run_is_recorded_with_what_it_judged_and_one_with_nothing_to_judge_is_not(
    deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=3))
    config = load_config(deployed / "monitor.toml")
    times: Iterator[datetime] = iter(NOW + timedelta(seconds=second) for second in range(1000))
    with Store.open(config.store.url) as store:
        number = run_due_windows(config, store, clock=lambda: next(times)).deployment
        (first,) = store.runs.latest(number)
        assert (first.windows, first.rows, first.error) == (3, 180, "")
        assert first.started_at == NOW
        assert first.ended_at is not None
        assert first.ended_at > NOW
        assert first.host
        assert first.version
        run_due_windows(config, store, clock=lambda: NOW)
        assert store.runs.latest(number) == (first,)


def test_a_run_that_fails_is_recorded_with_its_error_wherever_it_fails(
    deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=2))
    config = load_config(deployed / "monitor.toml")

    def stop_after_one(*_: object) -> None:
        raise ZeroDivisionError("a defect")

    with Store.open(config.store.url) as store:
        with pytest.raises(ZeroDivisionError):
            run_due_windows(config, store, clock=lambda: NOW, progress=stop_after_one)
        number = store.deployments.latest("flights")
        assert number is not None
        assert [(run.windows, run.error) for run in store.runs.latest(number)] == [(1, "a defect")]
        (deployed / "models").unlink()
        with pytest.raises(CannotRun):
            run_due_windows(config, store, clock=lambda: NOW, services=ExternalServices())
        last, _ = store.runs.latest(number)
        assert (last.windows, last.ended_at) == (0, NOW)
        assert last.error.startswith("The bundle to watch is not there")


def test_a_window_whose_judging_fails_is_recorded_with_its_attempts_and_the_error_and_then_judged(
    deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=2))
    models = deployed / "models"
    shutil.copytree(models.resolve(), deployed / "copied")
    models.unlink()
    (deployed / "copied").rename(models)
    schema = models / "flights" / "1" / "assets.extra" / "schema.pbtxt"  # which is read with the first window
    text = schema.read_text()
    schema.write_text("no schema")
    config = load_config(deployed / "monitor.toml")
    made = deploy(config)  # once for all runs
    services = ExternalServices(deploy=lambda *_: made)
    with Store.open(config.store.url) as store:
        for hours in (0, 1):
            now = NOW + timedelta(hours=hours)
            with pytest.raises(CannotRun):
                run_due_windows(config, store, clock=lambda at=now: at, services=services)  # type: ignore[misc]
        number = store.deployments.latest("flights")
        assert number is not None
        (failed,) = store.attempts.read(number)
        assert (failed.attempts, failed.started_at, failed.judged_at) == (2, NOW + timedelta(hours=1), None)
        assert "schema" in failed.error
        assert store.windows.count(number) == 0
        schema.write_text(text)
        run_due_windows(config, store, clock=lambda: NOW + timedelta(hours=2), services=services)
        assert [(one.attempts, one.error) for one in store.attempts.read(number)] == [(3, ""), (1, "")]
        assert {one.judged_at for one in store.attempts.read(number)} == {NOW + timedelta(hours=2)}
