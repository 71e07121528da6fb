"""The table of subgroups: how much worse, how sure, and that there is none."""

from __future__ import annotations

from dataclasses import replace

from monitoring.dashboard.incident.subgroups import subgroup_views
from monitoring.jobs.subgroups.subgroup_rows import FoundSubgroups
from monitoring.records import Condition, Subgroup, Watch

WATCH = Watch(name="surprise_error", family="surprise", level="page", needs_label=True, scale=2.0, offset=-1.0)
SUBGROUP = Subgroup(
    conditions=(Condition(input="hour", sign="≥", value=18.0), Condition(input="shop", sign="=", value="<b>")),
    rows=1234,
    rise=0.25,
    others=0.01,
    error=0.05,
    p_value=0.0004,
)
FOUND = FoundSubgroups(watch=WATCH, subgroups=(SUBGROUP,), rows=5000, windows=())


def test_a_subgroup_has_its_conditions_its_rise_and_that_of_the_others() -> None:
    (view,) = subgroup_views(FOUND)
    (row,) = view.table.rows
    assert [one.text for one in row] == ["hour ≥ 18 and shop = <b>", "1,234", "+25.0 points", "+1.0 points", "0.0004"]
    assert "on half of 5,000 labelled rows of no window" in view.table.note


def test_that_there_is_none_is_said_and_without_labels_nothing() -> None:
    (view,) = subgroup_views(replace(FOUND, subgroups=()))
    assert view.table.rows == ()
    assert view.table.note.startswith(
        "The unexpected part of error rate rose in no part of the inputs more than in the other rows."
    )
    assert subgroup_views(None) == subgroup_views(replace(FOUND, rows=0)) == ()
