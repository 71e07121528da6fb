from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from monitoring.dashboard.incident.labelled import read_outcomes_since, read_subgroups_since, subgroup_views
from monitoring.dashboard.incident.outcomes import KeptReadings
from monitoring.records import Condition, Subgroup, Watch
from monitoring.subgroups.subgroup_rows import SubgroupResult
from tests.dashboard_store import described_stores

WATCH = Watch(name="surprise_error", family="surprise", level="page", needs_label=True, scale=2.0, offset=-1.0)
SUBGROUP = Subgroup(
    conditions=(Condition(input="hour", sign="≥", value=18.0), Condition(input="shop", sign="=", value="<b>")),
    rows=1234,
    rise=0.25,
    others=0.01,
    error=0.05,
    p_value=0.0004,
)
FOUND = SubgroupResult(watch=WATCH, subgroups=(SUBGROUP,), rows=5000, windows=())


def test_a_subgroup_has_its_conditions_its_rise_and_that_of_the_others() -> None:
    (view,) = subgroup_views(FOUND)
    (row,) = view.table.rows
    assert [one.text for one in row] == ["hour ≥ 18 and shop = <b>", "1,234", "+25.0 points", "+1.0 points", "0.0004"]
    assert "on half of 5,000 labelled rows of no window" in view.table.note


def test_that_there_is_none_is_said_and_without_labels_nothing() -> None:
    (view,) = subgroup_views(replace(FOUND, subgroups=()))
    assert view.table.rows == ()
    assert view.table.note.startswith(
        "The error rate above expectation rose in no part of the inputs more than in the other rows."
    )
    assert subgroup_views(None) == subgroup_views(replace(FOUND, rows=0)) == ()


def test_answers_and_labels_since_an_incident_and_its_subgroups_are_pages(tmp_path: Path) -> None:
    deployment, kept = described_stores(tmp_path).deployment(("shop", 1)), KeptReadings()
    outcomes, subgroups = (read(deployment, 1, kept) for read in (read_outcomes_since, read_subgroups_since))
    assert outcomes.outcomes[0].title == "Confusion matrix of all traffic"
    assert [table.name for table in subgroups.tables] == ["subgroups"]
    assert (outcomes.problem, subgroups.problem) == ((), ())
