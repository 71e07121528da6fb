"""A drill of a deployment whose traffic is sound."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from monitoring.config import load_config
from monitoring.drills.drill import run_drill
from monitoring.errors import BadInput
from monitoring.records import FaultResult
from monitoring.store.store import Store
from tests.monitoring.drills.conftest import ASKED, NOW, Drilled


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
    found = result(drilled, "labels-stop")
    assert (found.outcome, found.median_delay, found.cause) == ("missed", None, "")
    assert [one.fault for one in drilled.record.missed] == ["labels-stop"]  # ten windows do not show what is usual


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
    assert [one.done for one in drilled.progress] == list(range(1, 11))
    assert {one.runs for one in drilled.progress} == {10}
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
