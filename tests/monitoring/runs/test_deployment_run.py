"""A run takes up its deployment where the last window left it, and stores what it did window by window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from pathlib import Path

import pytest

from monitoring.config import BaselineSection, MonitorConfig, load_config
from monitoring.config.sections import RetentionSection
from monitoring.deployment.deployment import deploy
from monitoring.judging.window.label_join import LATE_LABEL_HORIZONS
from monitoring.records import WindowRecord
from monitoring.runs.deployment_run import open_run
from monitoring.runs.resume_point import ResumePoint
from monitoring.runs.retention import forget_old
from monitoring.runs.run import run_due_windows
from monitoring.runs.run_request import RunContext
from monitoring.sources.read_scope import ReadScope
from monitoring.sources.traffic import open_traffic
from monitoring.store.checks import Check
from monitoring.store.store import Store
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


def context_of(config: MonitorConfig, store: Store) -> RunContext:
    """A deployment of the config, as a run has it that began at `NOW`."""
    deployment = deploy(config)
    return RunContext(
        config=config,
        deployment=deployment,
        store=store,
        number=store.find_or_create(deployment.record(config, NOW)),
        begun=NOW,
        clock=lambda: NOW,
        open=lambda deployment, scope: open_traffic(
            config, deployment.baseline, deployment.version, clock=lambda: NOW, scope=scope
        ),
        renew=lambda: None,
    )


def judged(context: RunContext, windows: int) -> list[WindowRecord]:
    """The first due windows, judged by a run of their own."""
    run = open_run(context, ())
    return [run.judge(window)[0] for window in run.due[:windows]]


def test_a_run_goes_on_where_another_stopped_and_comes_to_the_same(
    config: MonitorConfig, store: Store, tmp_path: Path
) -> None:
    context = context_of(config, store)
    number = context.number
    records = [*judged(context, 2), *judged(context_of(config, store), 9)]
    assert [record.start for record in records] == [LIVE + day * DAY for day in range(4)]
    with Store.open(f"sqlite:///{tmp_path / 'at-once.db'}") as other:
        done = run_due_windows(config, other, clock=lambda: NOW)
        assert store.windows.read(number) == other.windows.read(done.deployment)
        assert store.deployments.states(number) == other.deployments.states(done.deployment)


def test_what_is_of_interest_follows_the_last_window(config: MonitorConfig, store: Store) -> None:
    context = context_of(config, store)
    deployment, number = context.deployment, context.number
    assert ResumePoint.of(store, number).scope(deployment) == ReadScope(job=True)
    judged(context, 3)
    retention = RetentionSection.model_validate({"details": "1d"})
    forget_old(replace(context, config=config.model_copy(update={"retention": retention})), ())
    assert all(one.scores for one in store.windows.read(number)), "judging looks at the last windows"
    after, horizon = LIVE + 3 * DAY, deployment.horizon
    assert ResumePoint.of(store, number).scope(deployment) == ReadScope(
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
    context = context_of(since, store)
    first, last = judged(context, 9)
    assert (first.start, first.labels_unknown, last.labels_unknown) == (LIVE + 2 * DAY, 0, 0)
    assert first.labels <= first.rows
    assert not [one for one in first.findings if "label" in one.kind]
    assert store.deployments.read(context.number).since == LIVE + 2 * DAY
    assert context_of(config, store).number != context.number


def test_the_beginning_is_stored_once(config: MonitorConfig, store: Store) -> None:
    context = context_of(config, store)
    number = context.number
    open_run(context, ())
    baseline = store.deployments.baseline(number)
    assert baseline == context.deployment.reference_fit.baseline_scores()
    store.deployments.save_baseline(number, baseline[:1], store.deployments.measured(number))
    open_run(context, ())
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
    context = context_of(config, store)
    number = context.number
    judged(context, 4)
    before = [window.labels for window in store.windows.read(number)]
    send(deployed, Days(days=4), requests=False)
    send(deployed, Days(days=1, start=LIVE + 4 * DAY), labels=False)
    run_due_windows(config, store, clock=lambda: NOW + DAY)
    windows = store.windows.read(number)
    assert [window.labels for window in windows] == [*before, 0]
    assert min(before) > 50
    assert not any(window.labels_conflicting for window in windows)


def test_a_run_that_was_opened_and_judges_nothing_is_whole(config: MonitorConfig, store: Store) -> None:
    run = open_run(context_of(config, store), ())
    assert (run.judged, len(run.due), run.has_rows, run.follows, run.next_due_at) == (0, 4, True, None, None)
    assert (run.waiting_labels, run.unreported, run.excluded_rows) == (0, (), 0)
    first = store.windows.last(1)
    run.finish(Check(checked_at=NOW, inputs="", traffic_state="files"), sensitivity=False)
    assert (first, store.deployments.check(1).traffic_state) == (None, ""), "not all is judged"
