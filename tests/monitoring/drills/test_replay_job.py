"""The monitor's own job over replayed traffic."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from monitoring.config import load_config
from monitoring.drills.replay_job import ReplayJob, Told, told_by
from monitoring.drills.replayed_traffic import ReplayedTraffic
from monitoring.jobs.deployment import Deployment
from monitoring.store.store import Store
from tests.small_deployment import CONFIG, LIVE, SPEC, Days, table_of

DAY = timedelta(days=1)
ROUTE = (
    '[[notify]]\nroute = "command"\ncommand = ["touch", "{notified}"]\nlevel = "notice"\n[retention]\nlabels = "30d"\n'
)


@pytest.fixture
def job(deployed: Path, tmp_path: Path, made: Deployment) -> ReplayJob:
    (deployed / "monitor.toml").write_text(CONFIG + ROUTE.format(notified=tmp_path / "notified"))
    config = load_config(deployed / "monitor.toml")
    (tmp_path / "stores").mkdir()
    return ReplayJob(config, made, tmp_path / "stores")


def traffic(days: Days, until: int | None = None) -> ReplayedTraffic:
    return ReplayedTraffic(table_of(days), SPEC, known_until=None if until is None else LIVE + until * DAY)


def test_it_goes_on_from_a_copy_tells_what_opens_and_notifies_nobody(job: ReplayJob, tmp_path: Path) -> None:
    assert job.judge("lead", traffic(Days(days=10), until=10), LIVE + 10 * DAY) == 10
    told: list[Told] = []
    gone = traffic(Days(days=20, broken_from=10))
    judged = job.judge(
        "fault",
        gone,
        LIVE + 20 * DAY,
        after="lead",
        judged=lambda window: told.extend(told_by(window)),
        stop=lambda: bool(told),
    )
    assert judged == told[0].window <= 3
    assert told[0].start == LIVE + (9 + told[0].window) * DAY
    assert told[0].key == (told[0].incident.level, told[0].incident.watch, told[0].incident.slice)
    with Store.open(f"sqlite:///{tmp_path}/stores/lead.db") as store:
        assert store.windows.count(1) == 10
        assert store.deployments.sensitivity(1) == ()
    assert not (tmp_path / "notified").exists()
    assert not (tmp_path / "deployed" / "pitfalls.db").exists()
    job.forget("fault")
    assert [path.name for path in (tmp_path / "stores").glob("fault*")] == []


def test_an_incident_names_an_input_by_its_fact_its_watch_or_its_drift(job: ReplayJob) -> None:
    rows = table_of(Days(days=12))
    numbers = rows["temp"].to_numpy().copy()
    numbers[600:] *= 100
    rows = rows.set_column(rows.column_names.index("temp"), "temp", [numbers])
    told: list[Told] = []
    job.judge("fault", ReplayedTraffic(rows, SPEC), LIVE + 12 * DAY, judged=lambda window: told.extend(told_by(window)))
    fact = next(one.incident for one in told if one.incident.level == "page")
    assert job.named_input(fact) == "temp"
