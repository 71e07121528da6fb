from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest

from monitoring.dashboard.incident.incident import incident_view, read_incident, receivers
from monitoring.dashboard.stores.stores import Stores
from monitoring.dashboard.view.history import DeploymentHistory
from monitoring.errors import BadInput
from monitoring.records import SUBGROUP_WATCH, CauseDetail, Condition, IncidentAction, Subgroup, WatchKey
from tests.dashboard_store import NOW, STEP
from tests.incident_words import worded
from tests.monitoring.config.configs import LEAST, load


def test_an_incident_shows_its_cause_its_harm_and_its_rows(history: DeploymentHistory) -> None:
    page = history.incidents[0]
    view = incident_view(page, history, "/d/shop/1", NOW)
    assert view.title.startswith("Brier score above expectation: the model is overconfident")
    assert view.next_step == STEP.removeprefix("Next step: ").capitalize()
    assert all("Next step" not in sentence for sentence in view.sentences)
    assert view.can == {"acknowledge", "snooze", "assign", "note", "close"}
    assert view.window_href == "/d/shop/1/windows/2013-04-23T00:00:00Z"
    figures = {one.title: one for one in view.figures}
    assert figures["Windows since"].text == str(sum(one.start >= page.window_start for one in history.windows))
    assert figures["Page evidence when it opened"].beside == "threshold 365"
    assert "labelled predictions since" in figures["Errors beyond the baseline"].beside
    assert [table.name for table in view.tables] == ["history", "inputs", "parts", "rows", "surprise_brier", "windows"]


def test_the_errors_beyond_the_baseline_are_those_of_the_labelled_rows(history: DeploymentHistory) -> None:
    page = history.incidents[0]
    known = next(one for one in history.baseline if (one.watch, one.slice) == ("error", ""))
    error = dict(history.scores.points(WatchKey(watch="error")))
    expected = 0.0
    for window in history.windows:
        value = error.get(window.start, known.mean)
        if window.start >= page.window_start:
            expected += (value - known.mean) * window.labels
    figures = {one.title: one.text for one in incident_view(page, history, "", NOW).figures}
    assert figures["Errors beyond the baseline"] == f"{expected:,.0f}"


def test_a_closed_or_acknowledged_incident_offers_what_can_be_done(history: DeploymentHistory) -> None:
    page = history.incidents[0]
    closed = replace(page, state="closed", closed_at=history.windows[-1].end, detail=CauseDetail())
    seen = replace(page, state="acknowledged", acknowledged_at=page.opened_at)
    view = incident_view(closed, history, "", NOW)
    assert view.can == {"assign", "note"}
    assert (view.inputs, view.slices, view.rows) == (None, None, None)
    assert incident_view(seen, history, "", NOW).can == {"snooze", "assign", "note", "close"}
    assert incident_view(replace(closed, closed_from="open"), history, "", NOW).can == {"assign", "note", "reopen"}


def test_a_fact_has_no_evidence(history: DeploymentHistory) -> None:
    fact = replace(history.incidents[0], watch="schema", slice="temp")
    figures = {one.title: one for one in incident_view(fact, history, "", NOW).figures}
    assert figures["Opened by"].text == "a fact"
    assert "Page evidence when it opened" not in figures


def test_a_subgroup_shows_how_much_more_its_rows_rose(history: DeploymentHistory) -> None:
    subgroup = Subgroup(
        conditions=(Condition(input="hour", sign="≥", value=18.0),),
        rows=340,
        rise=0.138,
        others=-0.008,
        error=0.03,
        p_value=0.0003,
        watch="surprise_error",
    )
    detail = CauseDetail(subgroup=subgroup, rows=history.incidents[0].detail.rows)
    found = replace(history.incidents[0], watch=SUBGROUP_WATCH, slice="hour ≥ 18", level="notice", detail=detail)
    view = incident_view(found, history, "", NOW)
    figures = {one.title: one for one in view.figures}
    assert figures["Rise of error rate above expectation there"].text == "+13.8 points"
    assert figures["Rise of error rate above expectation there"].beside.startswith("of 340 rows")
    assert figures["In all other rows"].text == "\N{MINUS SIGN}0.8 points"
    assert view.rows is not None
    assert view.rows.columns[-1] == "Score (Error rate above expectation)"
    assert len(view.charts) == 1


def test_the_windows_after_its_close_are_not_those_of_an_incident(history: DeploymentHistory) -> None:
    page = history.incidents[0]
    since = [one for one in history.windows if one.start >= page.window_start]
    closed = replace(page, state="closed", closed_at=since[2].start)
    figures = {one.title: one for one in incident_view(closed, history, "", NOW).figures}
    assert figures["Windows until it closed"].text == "2"
    assert "Windows since" not in figures


def test_what_people_did_is_shown_newest_first(history: DeploymentHistory) -> None:
    page = history.incidents[0]
    assert incident_view(page, history, "", NOW).actions is None
    actions = (
        IncidentAction(at=NOW, by="operator", kind="acknowledge"),
        IncidentAction(at=NOW, by="operator", kind="snooze", until_worse=True),
    )
    seen = replace(page, acknowledged_at=NOW, snoozed_until_worse=True, owner="team flights", actions=actions)
    view = incident_view(seen, history, "", NOW)
    assert view.actions is not None
    assert [row[2].text for row in view.actions.rows] == ["snoozed until worse", "acknowledged"]
    assert view.remarks == ("snoozed until worse", "owner team flights")
    assert next(one.beside for one in view.figures if one.title == "Acknowledged") == "by operator"


def test_a_watch_that_is_not_scored_has_no_chart(history: DeploymentHistory) -> None:
    schema = replace(history.incidents[0], watch="schema", slice="visib")
    assert [chart.name for chart in incident_view(schema, history, "", NOW).charts] == ["evidence"]


def test_what_became_worse_is_a_paragraph_of_its_own(history: DeploymentHistory) -> None:
    worse = replace(history.incidents[0], diagnoses=worded("", "A. Worse since: B. Next step: C."))
    view = incident_view(worse, history, "/d/shop/1", NOW)
    assert (view.sentences, view.next_step) == (("A.", "Worse since: B."), "C.")
    silent = replace(worse, diagnoses=())
    assert incident_view(silent, history, "/d/shop/1", NOW).sentences == ()


def test_the_view_of_an_incident_is_read(stores: Stores) -> None:
    view = read_incident(stores.deployment(("shop", 1)), 1)
    assert view.number == 1
    assert view.notifications is not None
    assert [row[1].text for row in view.notifications.rows] == ["#1 open"]


@pytest.mark.parametrize(("store", "number", "incident"), [("none", 1, 1), ("shop", 9, 1), ("shop", 1, 9)])
def test_what_is_not_there_is_said(stores: Stores, store: str, number: int, incident: int) -> None:
    with pytest.raises(BadInput, match="There is no such"):
        read_incident(stores.deployment((store, number)), incident)


ROUTES = """
[[notify]]
route = "alertmanager"
url = "http://alertmanager:9093/am"
[[notify]]
route = "pagerduty"
routing_key_env = "KEY"
[[notify]]
webhook = "https://hooks.example.org/secret"
"""


def test_systems_with_incidents_of_their_own_say_where_it_is(history: DeploymentHistory, tmp_path: Path) -> None:
    alertmanager, pagerduty = receivers(load(tmp_path, LEAST + ROUTES).notify, history.incidents[0], history.summary)
    assert unquote(alertmanager.href) == (
        "http://alertmanager:9093/am/#/alerts?silenced=true&inhibited=true&filter="
        '{alertname="ModelIncident",deployment_id="1",incident="1"}'
    )
    assert (pagerduty.href, pagerduty.words[:28]) == ("", "alert key pitfalls-incident-")


def test_a_route_says_where_its_receiver_has_an_incident(history: DeploymentHistory, tmp_path: Path) -> None:
    given = ROUTES.replace(
        'routing_key_env = "KEY"', 'routing_key_env = "KEY"\nincident_url = "https://p.example.org/?q={key}"'
    )
    given += 'incident_url = "https://s.example.org/{deployment}/{incident}"\n'
    _, pagerduty, webhook = receivers(load(tmp_path, LEAST + given).notify, history.incidents[0], history.summary)
    assert pagerduty.href == f"https://p.example.org/?q={pagerduty.words.removeprefix('alert key ')}"
    assert (webhook.href, webhook.words) == ("https://s.example.org/1/1", "")
