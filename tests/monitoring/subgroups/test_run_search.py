"""A run searches its windows for subgroups: at the same windows and with the same result in one run or in many."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from monitoring.config import MonitorConfig, load_config
from monitoring.deployment.deployment import Deployment, deploy
from monitoring.records import SUBGROUP_WATCH, IncidentRecord
from monitoring.runs.backfill import BackfillRequest, WindowRange, backfill
from monitoring.runs.run import ExternalServices, run_due_windows
from monitoring.sentences.incident_text import incident_text
from monitoring.store.store import Store
from monitoring.subgroups import run_search
from monitoring.subgroups.run_search import SearchSchedule, searched_watches
from tests.small_deployment import LIVE, Days

DAY = timedelta(days=1)

#: So many windows are searched together here, and all of them are judged.
SEARCHED, DAYS = 10, 20


@pytest.fixture(autouse=True)
def _sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_search, "SEARCHED_WINDOWS", SEARCHED)


@pytest.fixture
def config(deployed: Path, send: Callable[..., None]) -> MonitorConfig:
    """A deployment of which the rows of one origin are worse from the fourth day on, and no slice is declared."""
    send(deployed, Days(days=DAYS, broken_from=3, broken_at="JFK"))
    toml = deployed / "monitor.toml"
    toml.write_text(toml.read_text().replace('slices = ["origin"]\n', ""))
    return load_config(toml)


@pytest.fixture
def deployment(config: MonitorConfig) -> Deployment:
    return deploy(config)


def judged(
    config: MonitorConfig, deployment: Deployment, store: Store, days: tuple[int, ...]
) -> tuple[IncidentRecord, ...]:
    """All incidents after a run in the morning after each of some days."""
    services = ExternalServices(deploy=lambda _config, _embedder: deployment)
    for day in days:
        run_due_windows(config, store, clock=partial(moment, day), services=services)
    (summary,) = store.overview.summaries()
    return store.incidents.read(summary.record.number or 0)


def moment(day: int) -> datetime:
    return LIVE + day * DAY + timedelta(hours=7)


def test_the_subgroup_is_told_once_by_one_run_or_by_many(
    config: MonitorConfig, deployment: Deployment, tmp_path: Path
) -> None:
    found = []
    for name, days in (("once", (DAYS,)), ("often", (9, 16, 17, 17, DAYS))):
        with Store.open(f"sqlite:///{tmp_path / name}.db") as store:
            incidents = judged(config, deployment, store, days)
            (number,) = (one.record.number for one in store.overview.summaries())
            assert number is not None
            schedule = SearchSchedule.from_text(store.deployments.states(number)["subgroups"])
            states = {one.status for one in store.windows.read(number, scores=False)}
        assert schedule == SearchSchedule(since=LIVE + SEARCHED * DAY, waiting=SEARCHED, due_at=LIVE + (DAYS + 7) * DAY)
        assert states <= {"ok", "page", "notice"}
        found.append([one for one in incidents if one.watch == SUBGROUP_WATCH])
    assert found[0] == found[1]
    (told,) = found[0]
    assert told.slice == "origin = JFK"
    assert told.opened_at == LIVE + 17 * DAY
    assert [one.score for one in told.detail.rows] == sorted((one.score for one in told.detail.rows), reverse=True)
    assert len(told.detail.rows) == 10


def test_no_search_where_it_is_switched_off_or_no_window_has_all_of_its_labels(
    config: MonitorConfig, deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a search was made")

    monkeypatch.setattr(run_search.RunSearch, "_incidents", refuse)
    with Store.open(f"sqlite:///{tmp_path / 'early.db'}") as store:
        judged(config, deployment, store, (16,))
        with pytest.raises(AssertionError, match="a search was made"):
            judged(config, deployment, store, (17,))
    off = config.model_copy(update={"budget": config.budget.model_copy(update={"subgroups": False})})
    with Store.open(f"sqlite:///{tmp_path / 'off.db'}") as store:
        judged(off, deploy(off), store, (DAYS,))
        assert all(one.watch != SUBGROUP_WATCH for one in store.incidents.read(1))


def test_windows_judged_again_are_searched_again_with_the_same_result(
    config: MonitorConfig, deployment: Deployment, tmp_path: Path
) -> None:
    services = ExternalServices(deploy=lambda _config, _embedder: deployment)
    with Store.open(f"sqlite:///{tmp_path / 'again.db'}") as store:
        (told,) = (one for one in judged(config, deployment, store, (DAYS,)) if one.watch == SUBGROUP_WATCH)
        before = store.deployments.states(1)["subgroups"]
        again = WindowRange(start=LIVE + 14 * DAY, end=LIVE + DAYS * DAY, by="ada")
        found = backfill(config, store, BackfillRequest(windows=again), services=services, clock=partial(moment, DAYS))
        assert found.backfill is not None
        assert found.backfill.revised == DAYS - 14
        (again_told,) = (one for one in store.incidents.read(1) if one.watch == SUBGROUP_WATCH)
        assert (again_told.number, again_told.state) == (told.number, "open"), "nothing is told twice"
        assert (incident_text(again_told).message, again_told.detail) == (incident_text(told).message, told.detail)
        assert store.deployments.states(1)["subgroups"] == before


def test_the_first_surprise_is_searched(deployment: Deployment) -> None:
    assert [one.name for one in searched_watches(deployment.catalogue)] == ["surprise_error"]


def test_a_large_window_is_searched_by_a_sample_of_its_rows_that_its_ids_choose(
    config: MonitorConfig, deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_search, "MOST_COMPARED", 580)
    with Store.open(f"sqlite:///{tmp_path / 'few.db'}") as store:
        (told,) = (one for one in judged(config, deployment, store, (DAYS,)) if one.watch == SUBGROUP_WATCH)
    assert told.slice.startswith("origin = JFK")
    assert told.detail.subgroup is not None
    assert told.detail.subgroup.rows < 153
