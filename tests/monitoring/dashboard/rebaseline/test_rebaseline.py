from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from monitoring.dashboard.rebaseline import RebaselineForm, rebaseline_view, time_of
from monitoring.errors import BadInput
from monitoring.records import Rebaseline
from monitoring.store import Store

CHANGE = Rebaseline(
    at=datetime(2013, 5, 1, 9, tzinfo=UTC),
    by="ada",
    reason="new prices",
    start=datetime(2013, 4, 1, tzinfo=UTC),
    end=datetime(2013, 4, 8, tzinfo=UTC),
    since=datetime(2013, 5, 1, tzinfo=UTC),
    former_basis="",
    closed=(1,),
)


def test_times_are_filled_in_from_the_incident_to_the_last_window(shared_store: Store) -> None:
    summary = shared_store.overview.summaries()[0]
    page = summary.incidents[0]
    view = rebaseline_view(summary, "/d/shop/1", page, (), RebaselineForm(reason="so"))
    assert (view.form.start, view.form.end, view.form.reason) == ("2013-04-23T00:00", "2013-05-11T00:00", "so")
    assert view.back == "/d/shop/1/incidents/1"
    assert view.closes[0].startswith("#1 Brier score above expectation: the model is overconfident")
    kept = rebaseline_view(summary, "/d/shop/1", None, (), RebaselineForm(start="2013-05-01T00:00"))
    assert (kept.form.start, kept.back) == ("2013-05-01T00:00", "/d/shop/1")


def test_the_change_that_stands_is_told_and_one_that_was_undone_is_not(shared_store: Store) -> None:
    summary = shared_store.overview.summaries()[0]
    view = rebaseline_view(summary, "/d/shop/1", None, (CHANGE,), RebaselineForm())
    assert view.standing.startswith("Made of the windows 1 Apr 2013")
    assert "by ada: new prices" in view.standing
    assert view.standing.endswith("It closed #1.")
    undone = replace(CHANGE, undone_at=CHANGE.at)
    assert rebaseline_view(summary, "/d/shop/1", None, (undone,), RebaselineForm()).standing == ""


def test_a_time_is_in_the_zone_of_the_windows() -> None:
    assert time_of("2013-07-01", "To", ZoneInfo("America/New_York")).astimezone(UTC).hour == 4
    assert time_of("2013-07-01T00:00Z", "To", ZoneInfo("America/New_York")).astimezone(UTC).hour == 0
    with pytest.raises(BadInput, match="To is not a time"):
        time_of("", "To", ZoneInfo("UTC"))
