"""A run takes up its deployment where the last window left it, and stores what it did window by window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain, repeat
from pathlib import Path

import pytest

from monitoring.config import BaselineSection, MonitorConfig, load_config
from monitoring.config.sections import RetentionSection
from monitoring.deployment.deployment import Deployment, deploy
from monitoring.judging.window.label_join import LATE_LABEL_HORIZONS
from monitoring.judging.window.traffic_source import TrafficSource
from monitoring.records import WindowRecord
from monitoring.runs.deployment_run import DeploymentRun
from monitoring.runs.run import run_due_windows
from monitoring.sources.read_scope import ReadScope
from monitoring.sources.traffic import open_traffic
from monitoring.store.store import Store
from monitoring.subgroups.run_search import RunSearch
from tests.small_deployment import LIVE, Days

Send = Callable[..., None]
NOW = datetime(2013, 4, 5, 7, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def config(deployed: Path, send: Send) -> MonitorConfig:
    """The config of a deployment with four days of traffic."""
    send(deployed, Days(days=4))
    return load_config(deployed / "monitor.toml")


@pytest.fixture
def store(config: MonitorConfig) -> Iterator[Store]:
    with Store.open(config.store.url) as opened:
        yield opened


def begun(config: MonitorConfig, store: Store) -> tuple[DeploymentRun, Deployment, int]:
    deployment = deploy(config)
    number = store.find_or_create(deployment.record(config, NOW))
    search = RunSearch(deployment=deployment, store=store, number=number, reopen=partial(reopened, config))
    return DeploymentRun(deployment, store, number, search), deployment, number


def reopened(config: MonitorConfig, deployment: Deployment, scope: ReadScope) -> TrafficSource:
    return open_traffic(config, deployment.baseline, deployment.version, clock=lambda: NOW, scope=scope)


def judged_by(run: DeploymentRun, config: MonitorConfig, deployment: Deployment, windows: int) -> list[WindowRecord]:
    """The first due windows, judged."""
    traffic = reopened(config, deployment, run.scope)
    due = run.due(traffic, NOW)[:windows]
    return [run.judge(window, first=place == 0)[0] for place, window in enumerate(due)]


def test_a_run_goes_on_where_another_stopped_and_comes_to_the_same(
    config: MonitorConfig, store: Store, tmp_path: Path
) -> None:
    first, deployment, number = begun(config, store)
    records = judged_by(first, config, deployment, 2)
    second, deployment, _ = begun(config, store)
    records += judged_by(second, config, deployment, 9)
    assert [record.start for record in records] == [LIVE + day * DAY for day in range(4)]
    with Store.open(f"sqlite:///{tmp_path / 'at-once.db'}") as other:
        done = run_due_windows(config, other, clock=lambda: NOW)
        assert store.windows.read(number) == other.windows.read(done.deployment)
        assert store.deployments.states(number) == other.deployments.states(done.deployment)


def test_what_is_of_interest_follows_the_last_window(config: MonitorConfig, store: Store) -> None:
    run, deployment, number = begun(config, store)
    assert run.scope == ReadScope(job=True)
    judged_by(run, config, deployment, 3)
    run.forget(RetentionSection.model_validate({"details": "1d"}), (), NOW)
    assert all(one.scores for one in store.windows.read(number)), "judging looks at the last windows"
    after, horizon = LIVE + 3 * DAY, deployment.horizon
    assert begun(config, store)[0].scope == ReadScope(
        since=after - LATE_LABEL_HORIZONS * horizon,
        new_since=after - horizon,
        counted_since=after - (1 + LATE_LABEL_HORIZONS) * horizon,
        judged_until=after,
        job=True,
    )


def test_windows_before_since_are_not_judged_and_labels_of_their_rows_are_nobody_s(
    config: MonitorConfig, store: Store
) -> None:
    since = config.model_copy(update={"baseline": BaselineSection(since=LIVE + 2 * DAY)})
    run, deployment, number = begun(since, store)
    first, last = judged_by(run, since, deployment, 9)
    assert (first.start, first.labels_unknown, last.labels_unknown) == (LIVE + 2 * DAY, 0, 0)
    assert first.labels <= first.rows
    assert not [one for one in first.findings if "label" in one.kind]
    assert store.deployments.read(number).since == LIVE + 2 * DAY
    assert begun(config, store)[2] != number


def test_the_beginning_is_stored_once(config: MonitorConfig, store: Store) -> None:
    run, deployment, number = begun(config, store)
    run.begin(())
    baseline = store.deployments.baseline(number)
    assert baseline == deployment.reference_fit.baseline_scores()
    store.deployments.save_baseline(number, baseline[:1], store.deployments.measured(number))
    run.begin(())
    assert store.deployments.baseline(number) == baseline[:1]


def test_the_smallest_harm_is_simulated_once_all_is_judged(config: MonitorConfig, store: Store) -> None:
    stop = chain([False, False], repeat(True))
    number = run_due_windows(config, store, clock=lambda: NOW, stop=lambda: next(stop)).deployment
    assert store.deployments.sensitivity(number) == (), "a run that is stopped leaves it to the next"
    run_due_windows(config, store, clock=lambda: NOW)
    found = store.deployments.sensitivity(number)
    assert {each.metric for each in found} == {"error", "brier"}
    store.deployments.save_sensitivity(number, found[:1])
    run_due_windows(config, store, clock=lambda: NOW)
    assert store.deployments.sensitivity(number) == found[:1], "what is known is not simulated again"


def test_labels_that_were_counted_are_not_counted_again(
    config: MonitorConfig, store: Store, deployed: Path, send: Send
) -> None:
    run, deployment, number = begun(config, store)
    judged_by(run, config, deployment, 4)
    before = [window.labels for window in store.windows.read(number)]
    send(deployed, Days(days=4), requests=False)
    send(deployed, Days(days=1, start=LIVE + 4 * DAY), labels=False)
    run_due_windows(config, store, clock=lambda: NOW + DAY)
    windows = store.windows.read(number)
    assert [window.labels for window in windows] == [*before, 0]
    assert min(before) > 50
    assert not any(window.labels_conflicting for window in windows)
