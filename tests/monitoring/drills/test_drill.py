"""A drill of a deployment whose traffic is sound."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from monitoring.config import load_config
from monitoring.deployment.deployment import Deployment
from monitoring.documents.drill import drill_document
from monitoring.drills.drill import Detection, ReplayJob, detections_in, run_drill
from monitoring.drills.replayed_traffic import ReplayedTraffic
from monitoring.errors import BadInput
from monitoring.records import FaultResult
from monitoring.store.store import Store
from tests.monitoring.drills.conftest import ASKED, NOW, Drilled
from tests.small_deployment import CONFIG, LIVE, SPEC, Days, table_of


def result(drilled: Drilled, fault: str) -> FaultResult:
    return next(one for one in drilled.record.faults if one.fault == fault)


@pytest.mark.parametrize(
    ("fault", "column", "cause"),
    [
        ("unit", "temp", "out of range"),
        ("silence", "", "traffic volume"),
        ("labels-inverted", "", "labels contradict answers"),
    ],
)
def test_a_gross_fault_is_told_in_its_first_window_and_named(
    drilled: Drilled, fault: str, column: str, cause: str
) -> None:
    found = result(drilled, fault)
    assert found.outcome == "detected"
    for run in found.runs:
        assert (run.column, run.level, run.delay, run.cause) == (column, "page", 1, cause)
        assert run.named == column
        assert run.named_rightly


def test_a_fault_of_which_no_incident_is_opened_is_missed(drilled: Drilled) -> None:
    found = result(drilled, "stale")
    assert (found.outcome, found.median_delay, found.cause) == ("missed", None, "")
    assert [one.fault for one in drilled.record.missed] == ["stale"]  # three windows are too few


def test_labels_that_stop_after_ten_windows_are_told_by_when_the_baseline_s_came(drilled: Drilled) -> None:
    found = result(drilled, "labels-stop")
    assert (found.outcome, found.median_delay, found.cause) == ("detected", 3, "labels stopped")


def test_it_says_what_it_was_drawn_from_and_what_was_told_without_a_fault(drilled: Drilled) -> None:
    record = drilled.record
    assert (record.name, record.by, record.at, record.seed) == ("flights", "ada", NOW, 0)
    assert (record.source, record.lead, record.windows, record.replicates) == ("traffic", 10, 3, 2)
    assert record.source_windows == 21  # without the last week, whose labels may still come
    assert record.clean_windows == 2 * (10 + 3)
    assert record.false_pages == 0


def test_nothing_of_the_deployment_is_touched(drilled: Drilled) -> None:
    assert drilled.after == drilled.before


def test_progress_counts_every_run(drilled: Drilled) -> None:
    assert [one.done for one in drilled.progress] == list(range(1, 13))
    assert {one.runs for one in drilled.progress} == {12}
    assert drilled.progress[1].result == "number times 100 in temp: page in window 1: out of range"


def test_the_same_seed_gives_the_same_whichever_faults_are_asked_for(drilled: Drilled) -> None:
    config = drilled.config
    with Store.open(config.store.url) as store:
        again = run_drill(
            config, store, replace(ASKED, faults=("labels-inverted",), replicates=1, windows=1), clock=lambda: NOW
        )
    assert again.faults[0].runs == result(drilled, "labels-inverted").runs[:1]


def test_a_fault_that_is_none_is_refused_before_anything_is_fitted(tmp_path: Path, drilled: Drilled) -> None:
    config = load_config(drilled.folder / "monitor.toml")
    with Store.open(f"sqlite:///{tmp_path}/empty.db") as store, pytest.raises(BadInput, match="no such fault"):
        run_drill(config, store, replace(ASKED, faults=("storm",)), clock=lambda: NOW)


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
    told: list[Detection] = []
    gone = traffic(Days(days=20, broken_from=10))
    judged = job.judge(
        "fault",
        gone,
        LIVE + 20 * DAY,
        after="lead",
        judged=lambda window: told.extend(detections_in(window)),
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
    told: list[Detection] = []
    job.judge(
        "fault", ReplayedTraffic(rows, SPEC), LIVE + 12 * DAY, judged=lambda window: told.extend(detections_in(window))
    )
    fact = next(one.incident for one in told if one.incident.level == "page")
    assert job.named_input(fact) == "temp"


def test_a_document_has_every_fault_and_every_replicate(drilled: Drilled) -> None:
    found = drill_document(drilled.record).plain()
    assert (found["name"], found["number"], found["replicates"]) == ("flights", None, 2)
    assert found["replayed"]["kind"] == "traffic"
    assert found["without_fault"] == {"windows": 26, "pages": 0, "notices": drilled.record.false_notices}
    unit = found["faults"][0]
    assert (unit["fault"], unit["outcome"], unit["detected"], unit["median_delay"]) == ("unit", "detected", 2, 1)
    assert unit["runs"][1] == {
        "replicate": 1,
        "column": "temp",
        "level": "page",
        "delay": 1,
        "watch": "schema",
        "slice": "temp",
        "cause": "out of range",
        "named": "temp",
        "named_rightly": True,
        "nearest": None,
    }
    stale = found["faults"][-2]
    assert (stale["fault"], stale["outcome"], stale["runs"][0]["named_rightly"]) == ("stale", "missed", False)
    assert "evidence for a page " in stale["runs"][0]["nearest"]
    assert found["left_out"] == []
